// Attention for devices that load lane by lane, see `attention.glsl`. A workgroup takes ROWS of a KV head and is one subgroup of
// eight lanes, so it needs neither shared memory nor barriers; what all lanes want is loaded by one of them and shuffled to
// all, and loads are texels.
//
// In the first half of a block of eight keys, lane l holds key l, and of the queries row l. In the second, every lane holds
// the columns 8l ... 8l + 7 of a value, and the next 64 columns' likewise.
//
// variant TYPE: F32 F16 BF16 Q8_0
// variant ROWS: 2 8
// variant MAX_HEAD_DIM: 64 128 256
#version 460
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#define TEXELS
#include "types.glsl"
#include "attention.glsl"

layout(local_size_x = 8) in;

layout(set = 0, binding = 0) uniform usamplerBuffer queries;
layout(set = 0, binding = 1) uniform usamplerBuffer keys;
layout(set = 0, binding = 2) uniform usamplerBuffer values;

const uint LANES = 8;
const uint EIGHTS = MAX_HEAD_DIM / 8 / LANES;  // of columns that a lane holds of a value

void main() {
    uint lane = gl_SubgroupInvocationID;
    uint kvHead = gl_WorkGroupID.y;
    uint firstRow = gl_WorkGroupID.x * ROWS;
    uint rowCount = tokens * groupSize;
    uint position = positions[positionOffset] + firstToken;
    uint firstHead = (firstKVHead + kvHead) * groupSize;
    uint eights = headDim / 8;

    // The last key each row sees. Rows past the end are the last row again, and dropped at the end.
    uint lastKey[ROWS];
    uint keyCount = 1;
    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        lastKey[r] = min(position + min(firstRow + r, rowCount - 1) / groupSize, capacity - 1);
        keyCount = max(keyCount, lastKey[r] + 1);
    }
    uint ownRow = min(firstRow + lane % ROWS, rowCount - 1);
    uint ownAt = (queriesOffset + ownRow / groupSize * queriesRowStride + (firstHead + ownRow % groupSize) * headDim) / 4;
    uint headAt = cacheOffset + kvHead * cacheHeadStride;

    float rowMaximum[ROWS];
    float rowSum[ROWS];
    vec4 low[ROWS][EIGHTS];
    vec4 high[ROWS][EIGHTS];
    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        rowMaximum[r] = LOWEST;
        rowSum[r] = 0.0;
        [[unroll]] for (uint e = 0; e < EIGHTS; e++) {
            low[r][e] = vec4(0);
            high[r][e] = vec4(0);
        }
    }
    for (uint firstKey = 0; firstKey < keyCount; firstKey += LANES) {
        uint key = firstKey + lane;
        uint keyAt = headAt + ROW(min(key, keyCount - 1), cacheRowStride);
        float scores[ROWS];
        [[unroll]] for (uint r = 0; r < ROWS; r++) scores[r] = 0.0;
        for (uint i = 0; i < eights; i++) {
            vec4 keyLow;
            vec4 keyHigh;
            LOAD8_OF_ROW(keys, keyAt, i, keyLow, keyHigh)
            vec4 ownLow = uintBitsToFloat(texelFetch(queries, int(ownAt + 2 * i)));
            vec4 ownHigh = uintBitsToFloat(texelFetch(queries, int(ownAt + 2 * i + 1)));
            [[unroll]] for (uint r = 0; r < ROWS; r++)
                scores[r] += dot(subgroupShuffle(ownLow, r), keyLow) + dot(subgroupShuffle(ownHigh, r), keyHigh);
        }
        bool isHidden = hidesPadding != 0 && padding[paddingOffset + min(key, keyCount - 1)] != 0;
        float probabilities[ROWS];
        [[unroll]] for (uint r = 0; r < ROWS; r++) {
            float score = isHidden || key > lastKey[r] ? NEGATIVE_INFINITY : scale * scores[r];
            float maximum = max(rowMaximum[r], subgroupMax(score));
            float correction = exp(rowMaximum[r] - maximum);
            rowMaximum[r] = maximum;
            probabilities[r] = exp(score - maximum);
            rowSum[r] = rowSum[r] * correction + subgroupAdd(probabilities[r]);
            [[unroll]] for (uint e = 0; e < EIGHTS; e++) {
                low[r][e] *= correction;
                high[r][e] *= correction;
            }
        }
        [[unroll]] for (uint k = 0; k < LANES; k++) {
            // Past the last key the last value is read again, with a probability of 0.
            uint valueAt = headAt + ROW(min(firstKey + k, keyCount - 1), cacheRowStride);
            [[unroll]] for (uint e = 0; e < EIGHTS; e++) {
                vec4 valueLow;
                vec4 valueHigh;
                LOAD8_OF_ROW(values, valueAt, min(lane + e * LANES, eights - 1), valueLow, valueHigh)
                [[unroll]] for (uint r = 0; r < ROWS; r++) {
                    float probability = subgroupShuffle(probabilities[r], k);
                    low[r][e] += probability * valueLow;
                    high[r][e] += probability * valueHigh;
                }
            }
        }
    }

    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        uint row = firstRow + r;
        if (row >= rowCount) break;
        uint at = outputOffset + row / groupSize * outputRowStride + (firstHead + row % groupSize) * headDim;
        float share = rowSum[r] == 0.0 ? 0.0 : 1.0 / rowSum[r];
        [[unroll]] for (uint e = 0; e < EIGHTS; e++) {
            uint eight = lane + e * LANES;
            if (eight >= eights) break;
            [[unroll]] for (uint i = 0; i < 4; i++) {
                outputs[at + 8 * eight + i] = share * low[r][e][i];
                outputs[at + 8 * eight + 4 + i] = share * high[r][e][i];
            }
        }
    }
}
