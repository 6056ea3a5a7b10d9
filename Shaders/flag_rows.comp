// Flags the rows from the first bound up to the second, from the third up to the fourth, and so on; clears all other flags.
#version 460

layout(local_size_x = 128) in;

layout(set = 0, binding = 0) readonly buffer Bounds { uint bounds[]; };  // in rising order
layout(set = 0, binding = 1) readonly buffer Count { uint counts[]; };
layout(set = 0, binding = 2) writeonly buffer Flags { uint flags[]; };

layout(push_constant) uniform Arguments {
    uint rows;
    uint mostBounds;
    uint boundsOffset;
    uint countOffset;
};

void main() {
    uint row = gl_GlobalInvocationID.x;
    if (row >= rows) return;
    // How many bounds are at most the row: all before `low` are, none from `high` on is.
    uint low = 0;
    uint high = min(counts[countOffset], mostBounds);
    while (low < high) {
        uint middle = (low + high) / 2;
        if (bounds[boundsOffset + middle] <= row) low = middle + 1;
        else high = middle;
    }
    flags[row] = low % 2;
}
