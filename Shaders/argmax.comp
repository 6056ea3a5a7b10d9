// Greedy sampling: the index of the largest logit, the lowest one of equals.
//
// One workgroup scans the row.
#version 460

layout(local_size_x = 128) in;

layout(set = 0, binding = 0) readonly buffer Logits { float logits[]; };
layout(set = 0, binding = 1) readonly buffer Step { uint steps[]; };
layout(set = 0, binding = 2) writeonly buffer Token { uint tokens[]; };
layout(set = 0, binding = 3) writeonly buffer Log { uint log_[]; };

layout(push_constant) uniform Arguments {
    uint columns;
    uint logitsOffset;
    uint stepOffset;
    uint tokenOffset;
    uint logColumns;
};

shared float bestValues[gl_WorkGroupSize.x];
shared uint bestIndices[gl_WorkGroupSize.x];

void main() {
    uint lane = gl_LocalInvocationID.x;
    float bestValue = uintBitsToFloat(0xff800000u);
    uint bestIndex = 0;
    for (uint i = lane; i < columns; i += gl_WorkGroupSize.x) {
        float value = logits[logitsOffset + i];
        if (value > bestValue) {
            bestValue = value;
            bestIndex = i;
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
    tokens[tokenOffset] = bestIndex;
    if (steps[stepOffset] < logColumns) log_[steps[stepOffset]] = bestIndex;
}
