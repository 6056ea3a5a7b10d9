// Writes token-major rows into a KV-cache, rounding to its type.
//
// variant TYPE: F32 F16 BF16
#version 460
#include "types.glsl"
#include "cache_rows.glsl"

layout(set = 0, binding = 0) readonly buffer Input { float inputs[]; };
layout(set = 0, binding = 1) readonly buffer Position { uint positions[]; };
layout(set = 0, binding = 2) writeonly buffer Cache { Pair cache[]; };

void main() {
    uint token = gl_WorkGroupID.y;
    uint index = gl_GlobalInvocationID.x;
    uint at;
    if (!cacheIndex(positions[positionOffset], token, index, at)) return;
    uint inputAt = rowsIndex(token, index);
    cache[at] = PACK(vec2(inputs[inputAt], inputs[inputAt + 1]));
}
