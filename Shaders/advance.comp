// Adds to a counter, so that a recorded step can be replayed for the next token without the host.
#version 460

layout(local_size_x = 1) in;

layout(set = 0, binding = 0) buffer Counter { uint counters[]; };

layout(push_constant) uniform Arguments {
    uint offset;
    uint amount;
};

void main() {
    counters[offset] += amount;
}
