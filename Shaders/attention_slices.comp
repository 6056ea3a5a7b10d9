// Attention for few rows, such as the heads of one token in decode: see `attention.glsl`. A KV head has one group of rows then,
// so the device is only filled where the keys are cut into slices, a workgroup each: see `attention_merge.glsl`.
//
// Eight lanes share a key, each with every eighth eight of its columns, and go on to its value: loads run along a row, and need
// no barrier between scores and values. Subgroups of eight or more hold neighbouring lanes.
//
// variant TYPE: F32 F16 BF16 Q8_0
#version 460
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#include "types.glsl"
#include "attention.glsl"

layout(constant_id = 0) const uint ROWS = 1;    // of a workgroup
layout(constant_id = 1) const uint EIGHTS = 1;  // of columns that a lane has, at most

const uint LANES = 8;                  // of a team, which shares a key
const uint TEAMS = 16;
const uint KEYS = 4;                   // that a team takes at once, to have as many loads in flight
const uint BLOCK = TEAMS * KEYS;
const uint FOURS = 2 * EIGHTS * LANES; // of columns: lower halves of all eights, then the upper ones

// Values of 16 bits are loaded ahead, to be on their way while scores are made; others would take too many registers.
#if defined(TYPE_F16) || defined(TYPE_BF16)
#define LOADS_AHEAD
#endif

layout(local_size_x = 128) in;

#include "attention_merge.glsl"

shared vec4 sharedQueries[ROWS][FOURS];
shared float teamMaxima[ROWS][TEAMS];
shared float teamSums[ROWS][TEAMS];
shared vec4 teamValues[TEAMS][FOURS];

// The sum over a team.
float teamAdd(float value) {
    value += subgroupShuffleXor(value, 1);
    value += subgroupShuffleXor(value, 2);
    value += subgroupShuffleXor(value, 4);
    return value;
}

uint fourOf(uint eight, uint upper) { return upper * EIGHTS * LANES + eight; }

uint columnOf(uint four) { return four % (EIGHTS * LANES) * 8 + four / (EIGHTS * LANES) * 4; }

void main() {
    uint index = gl_LocalInvocationID.x;
    uint lane = index % LANES;
    uint team = index / LANES;
    uint eights = headDim / 8;

    uint lastKey[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; r++) lastKey[r] = lastKeyOf(firstRow() + r);
    Slice slice = sliceOf(lastKey[ROWS - 1] + 1, BLOCK);
    if (gl_WorkGroupID.z >= slice.count) return;

    for (uint i = index; i < ROWS * FOURS; i += gl_WorkGroupSize.x) {
        uint r = i / FOURS;
        uint column = columnOf(i % FOURS);
        uint at = queryOf(firstRow() + r) + column;
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
    for (uint firstKey = slice.first; firstKey < slice.end; firstKey += BLOCK) {
        uint keyAt[KEYS];
        bool isSeen[KEYS];
        [[unroll]] for (uint k = 0; k < KEYS; k++) {
            uint key = firstKey + k * TEAMS + team;
            keyAt[k] = rowOfKey(key, slice.end);
            isSeen[k] = key < slice.end && !isHidden(min(key, slice.end - 1));
        }
#ifdef LOADS_AHEAD
        Eight ahead[EIGHTS][KEYS];
        [[unroll]] for (uint e = 0; e < EIGHTS; e++)
            [[unroll]] for (uint k = 0; k < KEYS; k++)
                ahead[e][k] = values[keyAt[k] + min(e * LANES + lane, eights - 1)];
#endif
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
                    scores[r][k] = addProduct(addProduct(scores[r][k], queryLow, low[k]), queryHigh, high[k]);
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
#ifdef LOADS_AHEAD
            [[unroll]] for (uint k = 0; k < KEYS; k++) LOAD8(ahead[e], k, low[k], high[k])
#else
            [[unroll]] for (uint k = 0; k < KEYS; k++)
                LOAD8_OF_ROW(values, keyAt[k], min(e * LANES + lane, eights - 1), low[k], high[k])
#endif
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
        if (index < FOURS && columnOf(index) < headDim) {
            vec4 sum = vec4(0);
            float weights = 0.0;
            [[unroll]] for (uint t = 0; t < TEAMS; t++) {
                sum += teamValues[t][index];
                weights += exp(teamMaxima[r][t] - maximum) * teamSums[r][t];
            }
            storeSum(slice, r, columnOf(index) / 4, sum, maximum, weights);
        }
        barrier();
    }
    mergeSlices(slice);
}
