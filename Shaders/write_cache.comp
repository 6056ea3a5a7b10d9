// Writes token-major rows into a KV-cache, rounding to its type.
//
// variant TYPE: F32 F16 BF16 Q8_0
#version 460
#include "types.glsl"
#include "cache_rows.glsl"

layout(set = 0, binding = 0) readonly buffer Input { float inputs[]; };
layout(set = 0, binding = 1) readonly buffer Position { uint positions[]; };
layout(set = 0, binding = 2) buffer Cache { Pair cache[]; };
#ifdef QUANTIZED
#include "cache_blocks.glsl"
#endif

void main() {
    uint token = gl_WorkGroupID.y;
    uint index = gl_GlobalInvocationID.x;
    uint row;
    if (!cacheRow(positions[positionOffset], token, index, row)) return;
    uint inputAt = rowsIndex(token, index);
#ifdef QUANTIZED
    float values[SPAN];
    for (uint i = 0; i < columnsOf(index); i++) values[i] = inputs[inputAt + i];
    storeSpan(row, index, values);
#else
    cache[row + index % spansOfHead] = PACK(vec2(inputs[inputAt], inputs[inputAt + 1]));
#endif
}
