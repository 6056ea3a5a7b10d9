// Lowers the logits of tokens that were seen: presence and frequency penalty, then repetition penalty.
#version 460

layout(local_size_x = 128) in;

layout(set = 0, binding = 0) buffer Logits { float logits[]; };
layout(set = 0, binding = 1) readonly buffer Counts { uint counts[]; };

layout(push_constant) uniform Arguments {
    uint columns;
    uint logitsOffset;
    uint countsOffset;
    float presence;
    float frequency;
    float repetition;
};

void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i >= columns) return;
    uint count = counts[countsOffset + i];
    if (count == 0) return;
    float logit = logits[logitsOffset + i] - presence - frequency * float(count);
    logits[logitsOffset + i] = logit > 0.0 ? logit / repetition : logit * repetition;
}
