// Attention for few rows, such as the heads of one token in decode. A KV head has one group of rows then, so its keys are cut into
// slices, a workgroup each, to fill the device. Each leaves what it sums as a partial result, and the one that is done last merges
// them.
//
// Eight lanes share a key, each with every eighth eight of its columns, and go on to its value: loads run along a row, and need
// no barrier between scores and values. Subgroups of eight or more hold neighbouring lanes.
//
// variant TYPE: F32 F16 BF16 Q8_0
#version 460
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_KHR_memory_scope_semantics : require
#include "types.glsl"
#include "attention.glsl"

layout(constant_id = 0) const uint ROWS = 1;    // of a workgroup
layout(constant_id = 1) const uint EIGHTS = 1;  // of columns that a lane has, at most

const uint LANES = 8;                  // of a team, which shares a key
const uint TEAMS = 16;
const uint KEYS = 4;                   // that a team takes at once, to have as many loads in flight
const uint BLOCK = TEAMS * KEYS;
const uint FOURS = 2 * EIGHTS * LANES; // of columns: lower halves of all eights, then the upper ones
const uint MOST_SLICES = 64;
const uint BATCH = 8;                  // partial results that are loaded at once

layout(local_size_x = 128) in;

// By row group and head, slice, and row: the sums of weighted values, relative to the row's maximum, then a four with that
// maximum and the sum of weights.
layout(set = 0, binding = 6) coherent buffer Partials { vec4 partials[]; };
// By row group and head: slices that are done. Zero before and after.
layout(set = 0, binding = 7) coherent buffer Counters { uint counters[]; };

shared vec4 sharedQueries[ROWS][FOURS];
shared float teamMaxima[ROWS][TEAMS];
shared float teamSums[ROWS][TEAMS];
shared vec4 teamValues[TEAMS][FOURS];
shared vec2 sliceSums[ROWS][MOST_SLICES];  // as in partials
shared bool isLastSlice;

// The sum over a team.
float teamAdd(float value) {
    value += subgroupShuffleXor(value, 1);
    value += subgroupShuffleXor(value, 2);
    value += subgroupShuffleXor(value, 4);
    return value;
}

uint fourOf(uint eight, uint upper) { return upper * EIGHTS * LANES + eight; }

void store(uint row, uint column, vec4 sum, float weights) {
    if (row >= tokens * groupSize) return;
    vec4 value = weights == 0.0 ? vec4(0) : sum / weights;
    [[unroll]] for (uint i = 0; i < 4; i++) outputs[outputOf(row) + column + i] = value[i];
}

uint groupIndex() { return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x; }

uint partialOf(uint slice, uint r) {
    return ((groupIndex() * gl_NumWorkGroups.z + slice) * ROWS + r) * (headDim / 4 + 1);
}

// Merges the partial results of all slices, in their order, whichever came last.
void mergeSlices(uint firstRow, uint sliceCount) {
    uint index = gl_LocalInvocationID.x;
    uint rowFours = headDim / 4;
    // The last batch is filled up with slices that weigh nothing.
    uint filledCount = (sliceCount + BATCH - 1) / BATCH * BATCH;
    for (uint i = index; i < ROWS * filledCount; i += gl_WorkGroupSize.x) {
        uint r = i / filledCount;
        uint slice = i % filledCount;
        sliceSums[r][slice] = slice < sliceCount ? partials[partialOf(slice, r) + rowFours].xy : vec2(LOWEST, 0);
    }
    barrier();
    for (uint i = index; i < ROWS * rowFours; i += gl_WorkGroupSize.x) {
        uint r = i / rowFours;
        uint four = i % rowFours;
        float maximum = LOWEST;
        for (uint slice = 0; slice < sliceCount; slice++) maximum = max(maximum, sliceSums[r][slice].x);
        vec4 sum = vec4(0);
        float weights = 0.0;
        for (uint slice = 0; slice < filledCount; slice += BATCH) {
            vec4 values[BATCH];
            [[unroll]] for (uint b = 0; b < BATCH; b++)
                values[b] = partials[partialOf(min(slice + b, sliceCount - 1), r) + four];
            [[unroll]] for (uint b = 0; b < BATCH; b++) {
                float correction = slice + b < sliceCount ? exp(sliceSums[r][slice + b].x - maximum) : 0.0;
                sum += correction * values[b];
                weights += correction * sliceSums[r][slice + b].y;
            }
        }
        store(firstRow + r, 4 * four, sum, weights);
    }
}

void main() {
    uint index = gl_LocalInvocationID.x;
    uint lane = index % LANES;
    uint team = index / LANES;
    uint firstRow = gl_WorkGroupID.x * ROWS;
    uint eights = headDim / 8;

    uint lastKey[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; r++) lastKey[r] = lastKeyOf(firstRow + r);
    uint keyCount = lastKey[ROWS - 1] + 1;
    // How far the cache is filled is only known here. With few keys there are fewer slices than workgroups.
    uint sliceKeys = (keyCount + gl_NumWorkGroups.z * BLOCK - 1) / (gl_NumWorkGroups.z * BLOCK) * BLOCK;
    uint sliceCount = (keyCount + sliceKeys - 1) / sliceKeys;
    uint slice = gl_WorkGroupID.z;
    if (slice >= sliceCount) return;
    uint end = min((slice + 1) * sliceKeys, keyCount);

    for (uint i = index; i < ROWS * FOURS; i += gl_WorkGroupSize.x) {
        uint r = i / FOURS;
        uint column = i % FOURS % (EIGHTS * LANES) * 8 + i % FOURS / (EIGHTS * LANES) * 4;
        uint at = queryOf(firstRow + r) + column;
        sharedQueries[r][i % FOURS] = column >= headDim
            ? vec4(0) : scale * vec4(queries[at], queries[at + 1], queries[at + 2], queries[at + 3]);
    }
    barrier();

    float rowMaximum[ROWS];
    float rowSum[ROWS];
    vec4 sumsLow[ROWS][EIGHTS];
    vec4 sumsHigh[ROWS][EIGHTS];
    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        rowMaximum[r] = LOWEST;
        rowSum[r] = 0.0;
        [[unroll]] for (uint e = 0; e < EIGHTS; e++) {
            sumsLow[r][e] = vec4(0);
            sumsHigh[r][e] = vec4(0);
        }
    }
    for (uint firstKey = slice * sliceKeys; firstKey < end; firstKey += BLOCK) {
        // Past the end the last key is read again, and weighs nothing.
        uint keyAt[KEYS];
        bool isSeen[KEYS];
        [[unroll]] for (uint k = 0; k < KEYS; k++) {
            uint key = firstKey + k * TEAMS + team;
            keyAt[k] = cacheOfHead() + ROW(min(key, end - 1), cacheRowStride);
            isSeen[k] = key < end && !isHidden(min(key, end - 1));
        }
        float scores[ROWS][KEYS];
        [[unroll]] for (uint r = 0; r < ROWS; r++)
            [[unroll]] for (uint k = 0; k < KEYS; k++) scores[r][k] = 0.0;
        [[unroll]] for (uint e = 0; e < EIGHTS; e++) {
            // Past the last column the last eight is read again, which the query's zeros take out.
            uint eight = e * LANES + lane;
            vec4 low[KEYS];
            vec4 high[KEYS];
            [[unroll]] for (uint k = 0; k < KEYS; k++)
                LOAD8_OF_ROW(keys, keyAt[k], min(eight, eights - 1), low[k], high[k])
            [[unroll]] for (uint r = 0; r < ROWS; r++) {
                vec4 queryLow = sharedQueries[r][fourOf(eight, 0)];
                vec4 queryHigh = sharedQueries[r][fourOf(eight, 1)];
                [[unroll]] for (uint k = 0; k < KEYS; k++)
                    scores[r][k] += dot(queryLow, low[k]) + dot(queryHigh, high[k]);
            }
        }
        [[unroll]] for (uint r = 0; r < ROWS; r++) {
            float maximum = rowMaximum[r];
            [[unroll]] for (uint k = 0; k < KEYS; k++) {
                float score = teamAdd(scores[r][k]);
                bool isVisible = isSeen[k] && firstKey + k * TEAMS + team <= lastKey[r];
                scores[r][k] = isVisible ? score : NEGATIVE_INFINITY;
                maximum = max(maximum, scores[r][k]);
            }
            float correction = exp(rowMaximum[r] - maximum);
            rowMaximum[r] = maximum;
            rowSum[r] *= correction;
            [[unroll]] for (uint k = 0; k < KEYS; k++) {
                scores[r][k] = exp(scores[r][k] - maximum);
                rowSum[r] += scores[r][k];
            }
            [[unroll]] for (uint e = 0; e < EIGHTS; e++) {
                sumsLow[r][e] *= correction;
                sumsHigh[r][e] *= correction;
            }
        }
        [[unroll]] for (uint e = 0; e < EIGHTS; e++) {
            vec4 low[KEYS];
            vec4 high[KEYS];
            [[unroll]] for (uint k = 0; k < KEYS; k++)
                LOAD8_OF_ROW(values, keyAt[k], min(e * LANES + lane, eights - 1), low[k], high[k])
            [[unroll]] for (uint r = 0; r < ROWS; r++) {
                [[unroll]] for (uint k = 0; k < KEYS; k++) {
                    sumsLow[r][e] += scores[r][k] * low[k];
                    sumsHigh[r][e] += scores[r][k] * high[k];
                }
            }
        }
    }

    // The teams' sums become the slice's.
    if (lane == 0) {
        [[unroll]] for (uint r = 0; r < ROWS; r++) {
            teamMaxima[r][team] = rowMaximum[r];
            teamSums[r][team] = rowSum[r];
        }
    }
    barrier();
    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        float maximum = LOWEST;
        [[unroll]] for (uint t = 0; t < TEAMS; t++) maximum = max(maximum, teamMaxima[r][t]);
        float correction = exp(rowMaximum[r] - maximum);
        [[unroll]] for (uint e = 0; e < EIGHTS; e++) {
            teamValues[team][fourOf(e * LANES + lane, 0)] = correction * sumsLow[r][e];
            teamValues[team][fourOf(e * LANES + lane, 1)] = correction * sumsHigh[r][e];
        }
        barrier();
        uint column = index % (EIGHTS * LANES) * 8 + index / (EIGHTS * LANES) * 4;
        if (index < FOURS && column < headDim) {
            vec4 sum = vec4(0);
            float weights = 0.0;
            [[unroll]] for (uint t = 0; t < TEAMS; t++) {
                sum += teamValues[t][index];
                weights += exp(teamMaxima[r][t] - maximum) * teamSums[r][t];
            }
            if (sliceCount == 1) {
                store(firstRow + r, column, sum, weights);
            } else {
                partials[partialOf(slice, r) + column / 4] = sum;
                if (column == 0) partials[partialOf(slice, r) + headDim / 4] = vec4(maximum, weights, 0, 0);
            }
        }
        barrier();
    }
    if (sliceCount == 1) return;

    // All invocations of a workgroup release what they wrote before its first one counts, and acquire after it has: so the
    // workgroup that counts up to all slices sees what every other wrote. None waits for another workgroup, so it doesn't matter
    // which of them run at once.
    controlBarrier(gl_ScopeWorkgroup, gl_ScopeDevice, gl_StorageSemanticsBuffer, gl_SemanticsAcquireRelease);
    if (index == 0) {
        uint before = atomicAdd(
            counters[groupIndex()], 1, gl_ScopeDevice, gl_StorageSemanticsBuffer, gl_SemanticsAcquireRelease);
        if (before == sliceCount - 1) counters[groupIndex()] = 0;
        isLastSlice = before == sliceCount - 1;
    }
    controlBarrier(
        gl_ScopeWorkgroup, gl_ScopeDevice, gl_StorageSemanticsBuffer | gl_StorageSemanticsShared,
        gl_SemanticsAcquireRelease);
    if (isLastSlice) mergeSlices(firstRow, sliceCount);
}
