// Causal grouped-query attention over a KV-cache, in blocks of keys with a running softmax (Dao et al., arXiv
// 2205.14135), so that nothing of size tokens x keys is ever stored.
//
// The queries of all heads that share a KV head stand side by side as rows, token after token; a workgroup takes ROWS of
// them, so keys and values are read once for all. Each block has two parts: an invocation per key computes the
// scores, then an invocation per pair of columns adds the weighted values.
//
// Devices that load lane by lane have a kernel of their own for heads of up to 64, 128 or 256 columns: see
// `attention_lanes.glsl`.
//
// variant TYPE: F32 F16 BF16
// variant ROWS: 2 8
// variant HEADS: ANY L64 L128 L256
#version 460
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#ifndef HEADS_ANY
#define TEXELS
#extension GL_KHR_shader_subgroup_ballot : require
#endif
#include "types.glsl"

#if defined(HEADS_L64)
const uint MAX_HEAD_DIM = 64;
#elif defined(HEADS_L128)
const uint MAX_HEAD_DIM = 128;
#else
const uint MAX_HEAD_DIM = 256;
#endif

layout(set = 0, binding = 3) readonly buffer Position { uint positions[]; };
layout(set = 0, binding = 4) readonly buffer Padding { uint padding[]; };
layout(set = 0, binding = 5) writeonly buffer Output { float outputs[]; };

layout(push_constant) uniform Arguments {
    uint tokens;
    uint groupSize;        // query heads per KV head
    uint headDim;
    uint firstKVHead;      // of the window
    uint cacheOffset;      // elements, a multiple of eight, as the next two
    uint cacheRowStride;
    uint cacheHeadStride;
    uint capacity;         // rows of the cache
    float scale;
    uint positionOffset;
    uint queriesOffset;
    uint queriesRowStride;
    uint outputOffset;
    uint outputRowStride;
    uint paddingOffset;
    uint hidesPadding;     // 0: there is no padding, whatever is bound
};

#define NEGATIVE_INFINITY uintBitsToFloat(0xff800000u)
// What a row's maximum starts from: finite, so that a row which has seen no key yet gives exp(-infinity) = 0.
#define LOWEST uintBitsToFloat(0xff7fffffu)

#ifndef HEADS_ANY
#include "attention_lanes.glsl"
#else
const uint BLOCK = 64;                        // keys, and invocations
const uint PAIRS = MAX_HEAD_DIM / 2 / BLOCK;  // column pairs of an invocation, at most

layout(local_size_x = 64) in;

layout(set = 0, binding = 0) readonly buffer Queries { float queries[]; };
layout(set = 0, binding = 1) readonly buffer Keys { Eight keys[]; };
layout(set = 0, binding = 2) readonly buffer Values { Pair values[]; };

shared vec4 sharedQueries[ROWS][MAX_HEAD_DIM / 4];
shared float probabilities[ROWS][BLOCK];
shared float subgroupMaxima[ROWS][BLOCK];
shared float subgroupSums[ROWS][BLOCK];

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
            uint keyAt = (cacheOffset + kvHead * cacheHeadStride + key * cacheRowStride) / 8;
            for (uint i = 0; i < headDim / 8; i++) {
                vec4 low;
                vec4 high;
                LOAD8(keys, keyAt + i, low, high)
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
            uint valueAt = (cacheOffset + kvHead * cacheHeadStride + firstKey * cacheRowStride) / 2 + pair;
            for (uint k = 0; k < blockKeys; k++) {
                vec2 value = UNPACK(values[valueAt]);
                valueAt += cacheRowStride / 2;
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
#endif
