// The last step of a C2C projector: cache[h, position + t, d] += sigmoid(scale[t, h]) * projected[t, h, d].
//
// variant TYPE: F32 F16 BF16 Q8_0
#version 460
#include "types.glsl"
#include "cache_rows.glsl"

layout(set = 0, binding = 0) readonly buffer Projected { float projected[]; };
layout(set = 0, binding = 1) readonly buffer Scale { float scales[]; };
layout(set = 0, binding = 2) readonly buffer Position { uint positions[]; };
layout(set = 0, binding = 3) buffer Cache { Pair cache[]; };
#ifdef QUANTIZED
#include "cache_blocks.glsl"
#endif

void main() {
    uint token = gl_WorkGroupID.y;
    uint index = gl_GlobalInvocationID.x;
    uint row;
    if (!cacheRow(positions[positionOffset], token, index, row)) return;
    float scale = scales[scaleOffset + token * scaleRowStride + firstHead + index / spansOfHead];
    float weight = 1.0 / (1.0 + exp(-scale));
    uint projectedAt = rowsIndex(token, index);
#ifdef QUANTIZED
    float values[SPAN];
    loadSpan(row, index, values);
    for (uint i = 0; i < columnsOf(index); i++) values[i] += weight * projected[projectedAt + i];
    storeSpan(row, index, values);
#else
    vec2 added = weight * vec2(projected[projectedAt], projected[projectedAt + 1]);
    uint at = row + index % spansOfHead;
    cache[at] = PACK(UNPACK(cache[at]) + added);
#endif
}
