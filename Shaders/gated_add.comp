// The last step of a C2C projector: cache[h, position + t, d] += sigmoid(scale[t, h]) * projected[t, h, d].
//
// variant TYPE: F32 F16 BF16
#version 460
#include "types.glsl"
#include "cache_rows.glsl"

layout(set = 0, binding = 0) readonly buffer Projected { float projected[]; };
layout(set = 0, binding = 1) readonly buffer Scale { float scales[]; };
layout(set = 0, binding = 2) readonly buffer Position { uint positions[]; };
layout(set = 0, binding = 3) buffer Cache { Pair cache[]; };

void main() {
    uint token = gl_WorkGroupID.y;
    uint index = gl_GlobalInvocationID.x;
    uint at;
    if (!cacheIndex(positions[positionOffset], token, index, at)) return;
    float scale = scales[scaleOffset + token * scaleRowStride + firstHead + index / pairsOfHead];
    float weight = 1.0 / (1.0 + exp(-scale));
    uint projectedAt = rowsIndex(token, index);
    vec2 added = weight * vec2(projected[projectedAt], projected[projectedAt + 1]);
    cache[at] = PACK(UNPACK(cache[at]) + added);
}
