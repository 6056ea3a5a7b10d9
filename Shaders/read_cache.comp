// Reads rows of a KV-cache into token-major order, head h at columns h * headDim.
//
// variant TYPE: F32 F16 BF16 Q8_0
#version 460
#include "types.glsl"
#include "cache_rows.glsl"

layout(set = 0, binding = 0) buffer Cache { Pair cache[]; };
#ifdef QUANTIZED
#include "cache_blocks.glsl"
#endif
layout(set = 0, binding = 1) readonly buffer Position { uint positions[]; };
layout(set = 0, binding = 2) writeonly buffer Output { float outputs[]; };

void main() {
    uint token = gl_WorkGroupID.y;
    uint index = gl_GlobalInvocationID.x;
    uint row;
    if (!cacheRow(positions[positionOffset], token, index, row)) return;
    uint outputAt = rowsIndex(token, index);
#ifdef QUANTIZED
    float values[SPAN];
    loadSpan(row, index, values);
    for (uint i = 0; i < columnsOf(index); i++) outputs[outputAt + i] = values[i];
#else
    vec2 values = UNPACK(cache[row + index % spansOfHead]);
    outputs[outputAt] = values.x;
    outputs[outputAt + 1] = values.y;
#endif
}
