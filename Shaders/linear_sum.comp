// Adds up what the splits of a matrix product's columns left, in their order, and ends the sums as `linear.comp` does.
//
// An invocation for each row of the weight, or each pair of which one gates the other.
#version 460
#include "linear_arguments.glsl"

layout(local_size_x = 64) in;

// By matrix, split, token and row, without gaps.
layout(set = 0, binding = 3) readonly buffer Partials { float partials[]; };

float sumOf(uint batch, uint token, uint row) {
    float sum = 0.0;
    for (uint split = 0; split < splits; split++)
        sum += partials[((batch * splits + split) * tokens + token) * rows + row];
    return sum;
}

void main() {
    uint row = gl_GlobalInvocationID.x;
    uint token = gl_WorkGroupID.y;
    uint batch = gl_WorkGroupID.z;
    bool isGated = (flags & 8) != 0;
    if (row >= (isGated ? rows / 2 : rows)) return;
    finishRow(sumOf(batch, token, row), isGated ? sumOf(batch, token, row + rows / 2) : 0.0, batch, row, token);
}
