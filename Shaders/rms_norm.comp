// Root-mean-square normalisation of each group of columns: y = x / sqrt(mean(x^2) + epsilon) * weight.
//
// One workgroup of LANES invocations per token, group and matrix. 8 and 32 are for devices whose subgroups have as many
// lanes at least, and need no barrier; 256 is for wide groups.
//
// variant LANES: 8 32 256
#version 460
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require

layout(local_size_x = LANES) in;

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

#ifdef LANES_256
shared float subgroupSums[LANES];
#endif

void main() {
    uint group = gl_WorkGroupID.x;
    uint token = gl_WorkGroupID.y;
    uint batch = gl_WorkGroupID.z;
    uint lane = gl_LocalInvocationID.x;
    uint inputAt = inputOffset + batch * inputBatchStride + token * inputRowStride + group * width;
    uint outputAt = outputOffset + batch * outputBatchStride + token * outputRowStride + group * width;

    float sum = 0.0;
    for (uint i = lane; i < width; i += LANES) sum += inputs[inputAt + i] * inputs[inputAt + i];
    float total = subgroupAdd(sum);
#ifdef LANES_256
    if (subgroupElect()) subgroupSums[gl_SubgroupID] = total;
    barrier();
    // Every invocation adds all sums, in the same order: one barrier, and the same bytes each run.
    total = 0.0;
    for (uint i = 0; i < gl_NumSubgroups; i++) total += subgroupSums[i];
#endif

    float factor = 1.0 / sqrt(total / float(width) + epsilon);
    for (uint i = lane; i < width; i += LANES)
        outputs[outputAt + i] = inputs[inputAt + i] * factor * weights[batch * weightBatchStride + i];
}
