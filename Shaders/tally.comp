// Counts tokens as seen (COUNT), after all counts were set to zero where that is wanted (CLEAR).
//
// variant STAGE: CLEAR COUNT
#version 460

layout(local_size_x = 128) in;

layout(set = 0, binding = 0) buffer Counts { uint counts[]; };
#ifdef STAGE_COUNT
layout(set = 0, binding = 1) readonly buffer Tokens { uint tokens[]; };
layout(set = 0, binding = 2) readonly buffer Given { uint given[]; };  // how many tokens, where `isGiven`
#endif

layout(push_constant) uniform Arguments {
    uint vocabulary;
    uint tokenCount;   // COUNT only, as the rest
    uint tokensOffset;
    uint givenOffset;
    uint isGiven;
};

void main() {
    uint i = gl_GlobalInvocationID.x;
#ifdef STAGE_CLEAR
    if (i < vocabulary) counts[i] = 0;
#else
    uint count = isGiven != 0 ? min(given[givenOffset], tokenCount) : tokenCount;
    if (i >= count) return;
    uint token = tokens[tokensOffset + i];
    if (token < vocabulary) atomicAdd(counts[token], 1);
#endif
}
