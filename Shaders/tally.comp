// Counts a token as seen.
#version 460

layout(local_size_x = 1) in;

layout(set = 0, binding = 0) readonly buffer Token { uint tokens[]; };
layout(set = 0, binding = 1) buffer Counts { uint counts[]; };

layout(push_constant) uniform Arguments {
    uint tokenOffset;
    uint countsOffset;
    uint columns;
};

void main() {
    uint token = tokens[tokenOffset];
    if (token < columns) counts[countsOffset + token] += 1;
}
