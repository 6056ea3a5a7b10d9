// Root-mean-square normalisation of each group of columns: y = x / sqrt(mean(x^2) + epsilon) * weight.
//
// One workgroup per token, group and matrix.
#version 460

layout(local_size_x = 32) in;

layout(set = 0, binding = 0) readonly buffer Input { float inputs[]; };
layout(set = 0, binding = 1) readonly buffer Weight { float weights[]; };
layout(set = 0, binding = 2) writeonly buffer Output { float outputs[]; };

layout(push_constant) uniform Arguments {
    uint width;  // of a group
    float epsilon;
    uint weightBatchStride;
    uint inputOffset;
    uint inputRowStride;
    uint inputBatchStride;
    uint outputOffset;
    uint outputRowStride;
    uint outputBatchStride;
};

shared float partialSums[gl_WorkGroupSize.x];

void main() {
    uint group = gl_WorkGroupID.x;
    uint token = gl_WorkGroupID.y;
    uint batch = gl_WorkGroupID.z;
    uint lane = gl_LocalInvocationID.x;
    uint inputAt = inputOffset + batch * inputBatchStride + token * inputRowStride + group * width;
    uint outputAt = outputOffset + batch * outputBatchStride + token * outputRowStride + group * width;

    float sum = 0.0;
    for (uint i = lane; i < width; i += gl_WorkGroupSize.x) sum += inputs[inputAt + i] * inputs[inputAt + i];
    partialSums[lane] = sum;
    barrier();
    // Every invocation adds all partial sums, in the same order: one barrier, and the same bytes each run.
    float total = 0.0;
    for (uint i = 0; i < gl_WorkGroupSize.x; i++) total += partialSums[i];

    float factor = 1.0 / sqrt(total / float(width) + epsilon);
    for (uint i = lane; i < width; i += gl_WorkGroupSize.x)
        outputs[outputAt + i] = inputs[inputAt + i] * factor * weights[batch * weightBatchStride + i];
}
