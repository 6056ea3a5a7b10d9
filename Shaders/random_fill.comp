// Fills a tensor with uniform random values in -scale ..< scale, one hash per element, the same on every device.
//
// The hash is a multiply-and-xorshift finaliser over the element's index; padding is set to zero.
//
// variant TYPE: F32 F16 BF16
#version 460
#include "types.glsl"

layout(local_size_x = 32) in;

layout(set = 0, binding = 0) writeonly buffer Output { Pair outputs[]; };

layout(push_constant) uniform Arguments {
    uint firstPair;     // of the window
    uint pairs;         // in the window
    uint pairsOfRow;    // padding included
    uint columns;
    uint seed;
    float scale;
    uint invocations;   // per row of the dispatch
};

float uniformValue(uint index) {
    uint hash = index * 0x9e3779b9u + seed;
    hash ^= hash >> 16;
    hash *= 0x7feb352du;
    hash ^= hash >> 15;
    hash *= 0x846ca68bu;
    hash ^= hash >> 16;
    return (2.0 * (float(hash >> 8) * (1.0 / 16777216.0)) - 1.0) * scale;
}

void main() {
    uint index = gl_WorkGroupID.y * invocations + gl_GlobalInvocationID.x;
    if (gl_GlobalInvocationID.x >= invocations || index >= pairs) return;
    uint row = (firstPair + index) / pairsOfRow;
    uint column = (firstPair + index) % pairsOfRow * 2;
    vec2 values = vec2(0);
    if (column < columns) values.x = uniformValue(row * columns + column);
    if (column + 1 < columns) values.y = uniformValue(row * columns + column + 1);
    outputs[index] = PACK(values);
}
