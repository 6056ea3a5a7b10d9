// What attention needs of the rows of a product with queries, keys and values side by side: queries and keys normalised
// head by head where the model does so, both rotated, keys and values written to the caches. One launch for what is
// otherwise rms_norm twice, rope, and write_cache twice.
//
// A workgroup of LANES invocations takes one head of one token. It never has more than one subgroup, so it needs no barrier.
//
// variant TYPE: F32 F16 BF16
// variant LANES: 8 32
#version 460
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#include "types.glsl"

layout(local_size_x = LANES) in;

layout(set = 0, binding = 0) buffer Rows { float rows[]; };
layout(set = 0, binding = 1) readonly buffer QueryNorm { float queryNorm[]; };
layout(set = 0, binding = 2) readonly buffer KeyNorm { float keyNorm[]; };
layout(set = 0, binding = 3) readonly buffer Table { float table[]; };
layout(set = 0, binding = 4) readonly buffer Position { uint positions[]; };
layout(set = 0, binding = 5) writeonly buffer Keys { Pair keys[]; };
layout(set = 0, binding = 6) writeonly buffer Values { Pair values[]; };

layout(push_constant) uniform Arguments {
    uint heads;
    uint kvHeads;
    uint headDim;
    uint rowsOffset;
    uint rowsRowStride;
    uint tableRowStride;
    uint positionOffset;
    uint keysOffset;       // in pairs, as the next three
    uint valuesOffset;
    uint cacheRowStride;
    uint cacheHeadStride;
    uint capacity;         // rows of the caches
    uint normalises;       // 0: neither queries nor keys
    float epsilon;
};

void main() {
    uint head = gl_WorkGroupID.x;
    uint token = gl_WorkGroupID.y;
    uint lane = gl_LocalInvocationID.x;
    uint halfDim = headDim / 2;
    uint at = rowsOffset + token * rowsRowStride + head * headDim;
    uint row = positions[positionOffset] + token;
    bool isQuery = head < heads;
    bool isRotated = head < heads + kvHeads;
    uint kvHead = (head - heads) % kvHeads;

    float factor = 1.0;
    if (normalises != 0 && isRotated) {
        float sum = 0.0;
        for (uint i = lane; i < headDim; i += LANES) sum += rows[at + i] * rows[at + i];
        factor = 1.0 / sqrt(subgroupAdd(sum) / float(headDim) + epsilon);
    }
    for (uint column = 2 * lane; column < halfDim; column += 2 * LANES) {
        uint other = column + halfDim;
        vec2 a = vec2(rows[at + column], rows[at + column + 1]);
        vec2 b = vec2(rows[at + other], rows[at + other + 1]);
        if (isRotated) {
            if (normalises != 0) {
                if (isQuery) {
                    a *= factor * vec2(queryNorm[column], queryNorm[column + 1]);
                    b *= factor * vec2(queryNorm[other], queryNorm[other + 1]);
                } else {
                    a *= factor * vec2(keyNorm[column], keyNorm[column + 1]);
                    b *= factor * vec2(keyNorm[other], keyNorm[other + 1]);
                }
            }
            uint angleAt = row * tableRowStride + column;
            vec2 cosines = vec2(table[angleAt], table[angleAt + 1]);
            vec2 sines = vec2(table[angleAt + halfDim], table[angleAt + halfDim + 1]);
            vec2 rotated = a * cosines - b * sines;
            b = b * cosines + a * sines;
            a = rotated;
        }
        if (isQuery) {
            rows[at + column] = a.x;
            rows[at + column + 1] = a.y;
            rows[at + other] = b.x;
            rows[at + other + 1] = b.y;
        } else if (row < capacity) {
            uint cacheAt = kvHead * cacheHeadStride + row * cacheRowStride + column / 2;
            if (isRotated) {
                keys[keysOffset + cacheAt] = PACK(a);
                keys[keysOffset + cacheAt + halfDim / 2] = PACK(b);
            } else {
                values[valuesOffset + cacheAt] = PACK(a);
                values[valuesOffset + cacheAt + halfDim / 2] = PACK(b);
            }
        }
    }
}
