// output = silu(gate) * up, gate and up side by side in the input.
#version 460

layout(local_size_x = 32) in;

layout(set = 0, binding = 0) readonly buffer Input { float inputs[]; };
layout(set = 0, binding = 1) writeonly buffer Output { float outputs[]; };

layout(push_constant) uniform Arguments {
    uint width;
    uint inputOffset;
    uint inputRowStride;
    uint outputOffset;
    uint outputRowStride;
};

void main() {
    uint column = gl_GlobalInvocationID.x;
    uint token = gl_WorkGroupID.y;
    if (column >= width) return;
    float gate = inputs[inputOffset + token * inputRowStride + column];
    float up = inputs[inputOffset + token * inputRowStride + width + column];
    outputs[outputOffset + token * outputRowStride + column] = gate / (1.0 + exp(-gate)) * up;
}
