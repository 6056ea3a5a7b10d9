// Rotary position embedding in the half-split form: (a, b) = (x[i], x[i + D/2]) -> (a cos - b sin, b cos + a sin).
//
// One invocation per pair of columns.
#version 460

layout(local_size_x = 32) in;

layout(set = 0, binding = 0) readonly buffer Input { float inputs[]; };
layout(set = 0, binding = 1) readonly buffer Table { float table[]; };
layout(set = 0, binding = 2) readonly buffer Position { uint positions[]; };
layout(set = 0, binding = 3) writeonly buffer Output { float outputs[]; };

layout(push_constant) uniform Arguments {
    uint pairs;          // of a token: heads * headDim / 2
    uint halfDim;        // headDim / 2
    uint tableRowStride;
    uint positionOffset;
    uint inputOffset;
    uint inputRowStride;
    uint outputOffset;
    uint outputRowStride;
};

void main() {
    uint index = gl_GlobalInvocationID.x;
    uint token = gl_WorkGroupID.y;
    if (index >= pairs) return;

    uint pair = index % halfDim;
    uint column = index / halfDim * 2 * halfDim + pair;
    uint angleAt = (positions[positionOffset] + token) * tableRowStride + pair;
    float cosine = table[angleAt];
    float sine = table[angleAt + halfDim];
    uint inputAt = inputOffset + token * inputRowStride + column;
    uint outputAt = outputOffset + token * outputRowStride + column;
    float a = inputs[inputAt];
    float b = inputs[inputAt + halfDim];
    outputs[outputAt] = a * cosine - b * sine;
    outputs[outputAt + halfDim] = b * cosine + a * sine;
}
