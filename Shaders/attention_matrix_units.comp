// Attention for many rows on the device's matrix units: see `attention.glsl` for what is computed, `matrix_units.glsl` for the
// matrices, and `attention_merge.glsl` for the slices that long caches are cut into.
//
// A workgroup is of four subgroups, each with one matrix of rows, and takes the keys block by block. A subgroup keeps its queries
// and its sums in registers; keys and values come to shared memory, while those of the next block are on their way. Scores go
// through shared memory too, since which element of a matrix is in which lane is known only there: a subgroup's own part, so that
// subgroups wait for each other only where a block ends.
//
// Matrix units multiply float16 and sum in float32. So queries and probabilities are the sum of two float16 each, as activations
// are in `linear_matrix_units.glsl`, good to 2^-22. Keys and values of type float16 are exact, and those of bfloat16 from 2^-14 to
// 65504.
//
// A block's sums of values start at zero and are added to those before by ordinary addition, since matrix units need not round to
// nearest: over thousands of keys that would show. A score has few terms.
//
// variant TYPE: F16 BF16
// variant UNITS: KHR NV
// requires UNITS=KHR: GL_KHR_cooperative_matrix
// requires UNITS=NV: GL_NV_cooperative_matrix
#version 460
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_shuffle : require
#ifdef UNITS_KHR
#define MATRIX_UNITS_KHR
#endif
#include "matrix_units.glsl"
#include "types.glsl"
#include "attention.glsl"

layout(local_size_x_id = 4) in;                    // four subgroups
layout(constant_id = 5) const uint COLUMNS = 128;  // of a head, and zeros up to whole matrices

const uint SUBGROUPS = 4;
const uint THREADS = SUBGROUPS * LANES;
const uint ROWS = SUBGROUPS * SIDE_M;
const uint KEYS = 32;                              // of a block
const uint EIGHTS = COLUMNS / 8;
const uint LOADS = (KEYS * EIGHTS + THREADS - 1) / THREADS;  // of an invocation, for a block's keys or values

// Neighbouring lanes share a row of scores, each with some fours side by side.
const uint ROW_LANES = LANES / SIDE_M;
const uint OWN_FOURS = KEYS / 4 / ROW_LANES;

#include "attention_merge.glsl"

// What lies where in shared memory, in eights of float16 or fours of float32. Rows have one more than they need, to start in
// different banks. Queries, before they are in registers, lie where keys and values do afterwards.
const uint PITCH = EIGHTS + 1;
const uint SCORE_PITCH = KEYS / 4 + 1;
const uint SUM_PITCH = SIDE_N / 4;
const uint KEY_TILE = 0;
const uint VALUE_TILE = KEYS * PITCH;
const uint SCORES = 2 * KEYS * PITCH;              // of each subgroup; then its probabilities, rounded, and their rests
const uint SUMS = SCORES + ROWS * SCORE_PITCH;     // of each subgroup, one matrix
shared uvec4 tile[SUMS + ROWS * SUM_PITCH];

// Four columns of a row's query, rounded, or what that leaves out.
uvec2 queryFour(uint row, uint column, bool rest) {
    uint at = queryOf(row) + column;
    vec4 four = vec4(queries[at], queries[at + 1], queries[at + 2], queries[at + 3]);
    four = clamp(INPUT_SCALE * (scale * four), -LARGEST, LARGEST);
    uvec2 rounded = packFour(four);
    return rest ? packFour(restOf(four, rounded)) : rounded;
}

// Brings the queries of a subgroup's rows into its part of shared memory, zeros past the last column.
void stageQueries(bool rest) {
    uint subgroupRow = gl_SubgroupID * SIDE_M;
    for (uint i = gl_SubgroupInvocationID; i < SIDE_M * EIGHTS; i += LANES) {
        uint row = subgroupRow + i / EIGHTS;
        uint eight = i % EIGHTS;
        uvec4 packed = uvec4(0);
        if (eight < headDim / 8)
            packed = uvec4(
                queryFour(firstRow() + row, 8 * eight, rest), queryFour(firstRow() + row, 8 * eight + 4, rest));
        tile[row * PITCH + eight] = packed;
    }
}

// What an invocation has of a block's keys and values, as they lie in memory. Past the last key the last one is read again, and
// weighs nothing; past the last column the last eight, and is dropped.
void fetch(uint firstKey, uint end, out Loaded ownKeys[LOADS], out Loaded ownValues[LOADS]) {
    [[unroll]] for (uint l = 0; l < LOADS; l++) {
        uint i = gl_LocalInvocationID.x + l * THREADS;
        uint at = rowOfKey(firstKey + i / EIGHTS, end);
        uint eight = min(i % EIGHTS, headDim / 8 - 1);
        FETCH8_OF_ROW(keys, at, eight, ownKeys[l])
        FETCH8_OF_ROW(values, at, eight, ownValues[l])
    }
}

uvec4 packLoaded(Loaded loaded) {
#ifdef TYPE_F16
    return loaded;
#else
    vec4 low;
    vec4 high;
    UNPACK8(loaded, low, high)
    return uvec4(packFour(clamp(low, -LARGEST, LARGEST)), packFour(clamp(high, -LARGEST, LARGEST)));
#endif
}

void put(Loaded ownKeys[LOADS], Loaded ownValues[LOADS]) {
    [[unroll]] for (uint l = 0; l < LOADS; l++) {
        uint i = gl_LocalInvocationID.x + l * THREADS;
        if (i >= KEYS * EIGHTS) break;
        uint at = i / EIGHTS * PITCH + i % EIGHTS;
        bool isColumn = i % EIGHTS < headDim / 8;
        tile[KEY_TILE + at] = isColumn ? packLoaded(ownKeys[l]) : uvec4(0);
        tile[VALUE_TILE + at] = isColumn ? packLoaded(ownValues[l]) : uvec4(0);
    }
}

// The largest and the sum of what the lanes of a row have.
float rowMax(float value) {
    [[unroll]] for (uint d = 1; d < ROW_LANES; d *= 2) value = max(value, subgroupShuffleXor(value, d));
    return value;
}
float rowAdd(float value) {
    [[unroll]] for (uint d = 1; d < ROW_LANES; d *= 2) value += subgroupShuffleXor(value, d);
    return value;
}

void main() {
    Slice slice = sliceOf(lastKeyOf(firstRow() + ROWS - 1) + 1, KEYS);
    if (gl_WorkGroupID.z >= slice.count) return;

    // Of the lane: its row, and its place among those that share it.
    uint row = gl_SubgroupID * SIDE_M + gl_SubgroupInvocationID / ROW_LANES;
    uint place = gl_SubgroupInvocationID % ROW_LANES;
    uint lastKey = lastKeyOf(firstRow() + row);
    float rowMaximum = LOWEST;
    float laneSum = 0.0;  // of the weights of the lane's keys

    const uint COLUMN_PARTS = COLUMNS / SIDE_K;
    const uint VALUE_PARTS = COLUMNS / SIDE_N;
    const uint KEY_PARTS = KEYS / SIDE_K;
    uint scoresAt = SCORES + gl_SubgroupID * SIDE_M * SCORE_PITCH;
    uint ownScores = SCORES + row * SCORE_PITCH;
    uint sumsAt = SUMS + gl_SubgroupID * SIDE_M * SUM_PITCH;
    uint ownSums = SUMS + row * SUM_PITCH;

    FirstMatrix queryParts[COLUMN_PARTS];
    FirstMatrix queryRests[COLUMN_PARTS];
    stageQueries(false);
    subgroupBarrier();
    [[unroll]] for (uint c = 0; c < COLUMN_PARTS; c++)
        LOAD_ROWS(queryParts[c], gl_SubgroupID * SIDE_M * PITCH + c * SIDE_K / 8, PITCH)
    subgroupBarrier();
    stageQueries(true);
    subgroupBarrier();
    [[unroll]] for (uint c = 0; c < COLUMN_PARTS; c++)
        LOAD_ROWS(queryRests[c], gl_SubgroupID * SIDE_M * PITCH + c * SIDE_K / 8, PITCH)

    SumMatrix sums[VALUE_PARTS];
    [[unroll]] for (uint v = 0; v < VALUE_PARTS; v++) sums[v] = SumMatrix(0.0);

    Loaded nextKeys[LOADS];
    Loaded nextValues[LOADS];
    fetch(slice.first, slice.end, nextKeys, nextValues);
    for (uint firstKey = slice.first; firstKey < slice.end; firstKey += KEYS) {
        barrier();
        put(nextKeys, nextValues);
        barrier();
        fetch(firstKey + KEYS, slice.end, nextKeys, nextValues);

        [[unroll]] for (uint k = 0; k < KEYS / SIDE_N; k++) {
            SumMatrix scores = SumMatrix(0.0);
            SumMatrix rests = SumMatrix(0.0);
            [[unroll]] for (uint c = 0; c < COLUMN_PARTS; c++) {
                SecondMatrix keyPart;
                LOAD_COLUMNS(keyPart, KEY_TILE + k * SIDE_N * PITCH + c * SIDE_K / 8, PITCH)
                scores = MULTIPLY_ADD(queryParts[c], keyPart, scores);
                rests = MULTIPLY_ADD(queryRests[c], keyPart, rests);
            }
            // One by one, here and below: SPIR-V's optimiser crashed on additions of matrices for years.
            [[unroll]] for (int i = 0; i < scores.length(); i++)
                scores[i] = (scores[i] + rests[i] * (1.0 / REST_SCALE)) * (1.0 / INPUT_SCALE);
            STORE_ROWS(scores, scoresAt + k * SUM_PITCH, SCORE_PITCH)
        }
        subgroupBarrier();

        vec4 own[OWN_FOURS];
        float maximum = rowMaximum;
        [[unroll]] for (uint f = 0; f < OWN_FOURS; f++) {
            own[f] = uintBitsToFloat(tile[ownScores + place * OWN_FOURS + f]);
            [[unroll]] for (uint i = 0; i < 4; i++) {
                uint key = firstKey + 4 * (place * OWN_FOURS + f) + i;
                if (key >= slice.end || key > lastKey || isHidden(key)) own[f][i] = NEGATIVE_INFINITY;
                maximum = max(maximum, own[f][i]);
            }
        }
        maximum = rowMax(maximum);
        float correction = exp(rowMaximum - maximum);
        rowMaximum = maximum;
        laneSum *= correction;
        for (uint i = place; i < SUM_PITCH; i += ROW_LANES) tile[ownSums + i] = uvec4(floatBitsToUint(correction));
        // All of a row's scores are read before probabilities take their place.
        subgroupBarrier();
        [[unroll]] for (uint f = 0; f < OWN_FOURS; f++) {
            vec4 probabilities = exp(own[f] - maximum);
            laneSum += probabilities.x + probabilities.y + probabilities.z + probabilities.w;
            uvec2 rounded = packFour(probabilities);
            uvec2 rest = packFour(restOf(probabilities, rounded));
            uint four = place * OWN_FOURS + f;
            [[unroll]] for (uint i = 0; i < 2; i++) {
                tile[ownScores + four / 2][four % 2 * 2 + i] = rounded[i];
                tile[ownScores + KEYS / 8 + four / 2][four % 2 * 2 + i] = rest[i];
            }
        }
        subgroupBarrier();

        SumMatrix corrections;
        LOAD_ROWS(corrections, sumsAt, SUM_PITCH)
        FirstMatrix probabilityParts[KEY_PARTS];
        FirstMatrix probabilityRests[KEY_PARTS];
        [[unroll]] for (uint k = 0; k < KEY_PARTS; k++) {
            LOAD_ROWS(probabilityParts[k], scoresAt + k * SIDE_K / 8, SCORE_PITCH)
            LOAD_ROWS(probabilityRests[k], scoresAt + KEYS / 8 + k * SIDE_K / 8, SCORE_PITCH)
        }
        [[unroll]] for (uint v = 0; v < VALUE_PARTS; v++) {
            SumMatrix parts = SumMatrix(0.0);
            SumMatrix rests = SumMatrix(0.0);
            [[unroll]] for (uint k = 0; k < KEY_PARTS; k++) {
                SecondMatrix valuePart;
                LOAD_ROWS(valuePart, VALUE_TILE + k * SIDE_K * PITCH + v * SIDE_N / 8, PITCH)
                parts = MULTIPLY_ADD(probabilityParts[k], valuePart, parts);
                rests = MULTIPLY_ADD(probabilityRests[k], valuePart, rests);
            }
            [[unroll]] for (int i = 0; i < parts.length(); i++)
                sums[v][i] = sums[v][i] * corrections[i] + (parts[i] + rests[i] * (1.0 / REST_SCALE));
        }
    }

    float weights = rowAdd(laneSum);
    [[unroll]] for (uint v = 0; v < VALUE_PARTS; v++) {
        subgroupBarrier();
        STORE_ROWS(sums[v], sumsAt, SUM_PITCH)
        subgroupBarrier();
        for (uint i = place; i < SUM_PITCH; i += ROW_LANES) {
            uint four = v * SUM_PITCH + i;
            if (four < headDim / 4) storeSum(slice, row, four, uintBitsToFloat(tile[ownSums + i]), rowMaximum, weights);
        }
    }
    mergeSlices(slice);
}
