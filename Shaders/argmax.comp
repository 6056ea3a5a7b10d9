// Greedy sampling: the index of the largest logit, the lowest one of equals; NO_TOKEN where one is infinite or NaN.
//
// One workgroup scans a short row (WHOLE). A long one is cut into slices, a workgroup each, that leave their best as
// candidates (SLICE), from which one workgroup picks (PICK).
//
// variant STAGE: WHOLE SLICE PICK
#version 460

layout(local_size_x = 128) in;

#include "no_token.glsl"

#ifdef STAGE_PICK
layout(set = 0, binding = 0) readonly buffer Candidates { uvec2 candidates[]; };  // a value's bits, and its index
#else
layout(set = 0, binding = 0) readonly buffer Logits { float logits[]; };
#endif
#ifdef STAGE_SLICE
layout(set = 0, binding = 1) writeonly buffer Candidates { uvec2 candidates[]; };
#else
layout(set = 0, binding = 1) readonly buffer Step { uint steps[]; };
layout(set = 0, binding = 2) writeonly buffer Token { uint tokens[]; };
layout(set = 0, binding = 3) writeonly buffer Log { uint log_[]; };
#endif

layout(push_constant) uniform Arguments {
    uint count;          // of logits, or candidates
    uint offset;         // of the first
    uint sliceLength;    // SLICE only
    uint stepOffset;     // not in SLICE, as the next two
    uint tokenOffset;
    uint logColumns;
};

shared float bestValues[gl_WorkGroupSize.x];
shared uint bestIndices[gl_WorkGroupSize.x];
shared uint strange;  // whether there is nothing to choose

void main() {
    uint lane = gl_LocalInvocationID.x;
    float bestValue = uintBitsToFloat(0xff800000u);
    uint bestIndex = 0;
#ifdef STAGE_SLICE
    uint first = gl_WorkGroupID.x * sliceLength;
    uint end = min(first + sliceLength, count);
#else
    uint first = 0;
    uint end = count;
#endif
    if (lane == 0) strange = 0;
    barrier();
    for (uint i = first + lane; i < end; i += gl_WorkGroupSize.x) {
#ifdef STAGE_PICK
        float value = uintBitsToFloat(candidates[offset + i].x);
        uint index = candidates[offset + i].y;
        if (index == NO_TOKEN) strange = 1;
#else
        float value = logits[offset + i];
        uint index = i;
        if (isStrange(value)) strange = 1;
#endif
        if (value > bestValue) {
            bestValue = value;
            bestIndex = index;
        }
    }
    bestValues[lane] = bestValue;
    bestIndices[lane] = bestIndex;
    barrier();
    if (lane != 0) return;
    for (uint i = 1; i < gl_WorkGroupSize.x; i++) {
        bool better = bestValues[i] > bestValue || (bestValues[i] == bestValue && bestIndices[i] < bestIndex);
        if (better) {
            bestValue = bestValues[i];
            bestIndex = bestIndices[i];
        }
    }
    if (strange != 0) bestIndex = NO_TOKEN;
#ifdef STAGE_SLICE
    candidates[gl_WorkGroupID.x] = uvec2(floatBitsToUint(bestValue), bestIndex);
#else
    tokens[tokenOffset] = bestIndex;
    if (steps[stepOffset] < logColumns) log_[steps[stepOffset]] = bestIndex;
#endif
}
