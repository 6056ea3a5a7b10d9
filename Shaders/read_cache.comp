// Reads rows of a KV-cache into token-major order, head h at columns h * headDim.
//
// variant TYPE: F32 F16 BF16
#version 460
#include "types.glsl"
#include "cache_rows.glsl"

layout(set = 0, binding = 0) readonly buffer Cache { Pair cache[]; };
layout(set = 0, binding = 1) readonly buffer Position { uint positions[]; };
layout(set = 0, binding = 2) writeonly buffer Output { float outputs[]; };

void main() {
    uint token = gl_WorkGroupID.y;
    uint index = gl_GlobalInvocationID.x;
    uint at;
    if (!cacheIndex(positions[positionOffset], token, index, at)) return;
    vec2 values = UNPACK(cache[at]);
    uint outputAt = rowsIndex(token, index);
    outputs[outputAt] = values.x;
    outputs[outputAt + 1] = values.y;
}
