// Causal grouped-query attention over a KV-cache for many rows, see `attention.glsl`: a workgroup takes ROWS of a KV head. Each
// block of keys has two parts: an invocation per key computes the scores, then an invocation per pair of columns adds the
// weighted values.
//
// Few rows have a kernel of their own, `attention_slices.comp`, and so have devices that load lane by lane,
// `attention_lanes.comp`.
//
// variant TYPE: F32 F16 BF16 Q8_0
// variant ROWS: 8
#version 460
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#include "types.glsl"
#include "attention.glsl"

const uint MAX_HEAD_DIM = 256;
const uint BLOCK = 64;                        // keys, and invocations
const uint PAIRS = MAX_HEAD_DIM / 2 / BLOCK;  // column pairs of an invocation, at most

layout(local_size_x = 64) in;

#ifndef QUANTIZED
layout(set = 0, binding = 2) readonly buffer ValuePairs { Pair valuePairs[]; };
#endif

shared vec4 sharedQueries[ROWS][MAX_HEAD_DIM / 4];
shared float probabilities[ROWS][BLOCK];
shared float subgroupMaxima[ROWS][BLOCK];
shared float subgroupSums[ROWS][BLOCK];

// A pair of columns of the row that starts at `row`.
vec2 valuePair(uint row, uint pair) {
#ifdef QUANTIZED
    uint block = pair / 16;
    uint word = valuesScales[4 * (row + integerUnit(block) + pair % 16 / 8 * 8) + pair % 8 / 2] >> (16 * (pair & 1));
    float scale = scaleOfBlock(valuesScales[scaleWord(row, block)], block);
    return scale * (vec2(word & 0xffu, word >> 8 & 0xffu) - BIAS);
#else
    return UNPACK(valuePairs[4 * row + pair]);
#endif
}

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint kvHead = gl_WorkGroupID.y;
    uint firstRow = gl_WorkGroupID.x * ROWS;
    uint rowCount = tokens * groupSize;
    uint position = positions[positionOffset];

    // The last key each row sees. Rows past the end see one key and are dropped at the end.
    uint lastKey[ROWS];
    uint keyCount = 1;
    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        uint row = firstRow + r;
        lastKey[r] = row < rowCount ? min(position + row / groupSize, capacity - 1) : 0;
        keyCount = max(keyCount, lastKey[r] + 1);
    }
    for (uint i = lane; i < ROWS * (headDim / 4); i += BLOCK) {
        uint r = i / (headDim / 4);
        uint column = i % (headDim / 4) * 4;
        uint row = firstRow + r;
        vec4 query = vec4(0);
        if (row < rowCount) {
            uint head = (firstKVHead + kvHead) * groupSize + row % groupSize;
            uint at = queriesOffset + row / groupSize * queriesRowStride + head * headDim + column;
            query = scale * vec4(queries[at], queries[at + 1], queries[at + 2], queries[at + 3]);
        }
        sharedQueries[r][column / 4] = query;
    }
    barrier();

    float rowMaximum[ROWS];
    float rowSum[ROWS];
    vec2 sums[ROWS][PAIRS];
    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        rowMaximum[r] = LOWEST;
        rowSum[r] = 0.0;
        [[unroll]] for (uint p = 0; p < PAIRS; p++) sums[r][p] = vec2(0);
    }

    for (uint firstKey = 0; firstKey < keyCount; firstKey += BLOCK) {
        uint key = firstKey + lane;
        float scores[ROWS];
        [[unroll]] for (uint r = 0; r < ROWS; r++) scores[r] = 0.0;
        if (key < keyCount) {
            uint keyAt = cacheOffset + kvHead * cacheHeadStride + ROW(key, cacheRowStride);
            for (uint i = 0; i < headDim / 8; i++) {
                vec4 low;
                vec4 high;
                LOAD8_OF_ROW(keys, keyAt, i, low, high)
                [[unroll]] for (uint r = 0; r < ROWS; r++)
                    scores[r] += dot(sharedQueries[r][2 * i], low) + dot(sharedQueries[r][2 * i + 1], high);
            }
        }
        bool isHidden = hidesPadding != 0 && key < keyCount && padding[paddingOffset + key] != 0;
        [[unroll]] for (uint r = 0; r < ROWS; r++) {
            if (isHidden || key > lastKey[r]) scores[r] = NEGATIVE_INFINITY;
            float maximum = subgroupMax(scores[r]);
            if (subgroupElect()) subgroupMaxima[r][gl_SubgroupID] = maximum;
        }
        barrier();
        float correction[ROWS];
        [[unroll]] for (uint r = 0; r < ROWS; r++) {
            float maximum = rowMaximum[r];
            for (uint s = 0; s < gl_NumSubgroups; s++) maximum = max(maximum, subgroupMaxima[r][s]);
            correction[r] = exp(rowMaximum[r] - maximum);
            rowMaximum[r] = maximum;
            float probability = exp(scores[r] - maximum);
            probabilities[r][lane] = probability;
            float sum = subgroupAdd(probability);
            if (subgroupElect()) subgroupSums[r][gl_SubgroupID] = sum;
        }
        barrier();
        [[unroll]] for (uint r = 0; r < ROWS; r++) {
            rowSum[r] *= correction[r];
            for (uint s = 0; s < gl_NumSubgroups; s++) rowSum[r] += subgroupSums[r][s];
            [[unroll]] for (uint p = 0; p < PAIRS; p++) sums[r][p] *= correction[r];
        }
        uint blockKeys = min(keyCount - firstKey, BLOCK);
        [[unroll]] for (uint p = 0; p < PAIRS; p++) {
            uint pair = lane + p * BLOCK;
            if (pair >= headDim / 2) break;
            uint firstValue = cacheOffset + kvHead * cacheHeadStride + firstKey * cacheRowStride;
            for (uint k = 0; k < blockKeys; k++) {
                vec2 value = valuePair(firstValue + ROW(k, cacheRowStride), pair);
                [[unroll]] for (uint r = 0; r < ROWS; r++) sums[r][p] += probabilities[r][k] * value;
            }
        }
        barrier();
    }

    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        uint row = firstRow + r;
        if (row >= rowCount) break;
        uint head = (firstKVHead + kvHead) * groupSize + row % groupSize;
        uint at = outputOffset + row / groupSize * outputRowStride + head * headDim;
        [[unroll]] for (uint p = 0; p < PAIRS; p++) {
            uint pair = lane + p * BLOCK;
            if (pair >= headDim / 2) break;
            vec2 value = rowSum[r] == 0.0 ? vec2(0) : sums[r][p] / rowSum[r];
            outputs[at + 2 * pair] = value.x;
            outputs[at + 2 * pair + 1] = value.y;
        }
    }
}
