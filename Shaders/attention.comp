// Attention for many rows, and for any device: see `attention.glsl`. Few rows and devices that load lane by lane have kernels of
// their own, `attention_slices.comp` and `attention_lanes.comp`.
//
// A workgroup takes a tile of rows, and the keys block by block. Queries and keys come to shared memory in chunks of columns,
// values in chunks of keys, so that each is loaded once for all rows; the next chunk is loaded while one is multiplied. An
// invocation has the scores of four rows and four keys, and of the sums the same rows' and some fours of columns. Long caches
// are cut into slices: see `attention_merge.glsl`.
//
// variant TYPE: F32 F16 BF16 Q8_0
#version 460
#extension GL_EXT_control_flow_attributes : require
#include "types.glsl"
#include "attention.glsl"

layout(constant_id = 0) const uint FOURS = 1;  // of columns that an invocation sums: of 64 columns, one

const uint THREADS = 128;
const uint LANES = 16;                       // invocations with the same rows, a team
const uint TEAMS = THREADS / LANES;
const uint TILE = 4;                         // rows of an invocation, every eighth one, and keys, every sixteenth
const uint ROWS = TEAMS * TILE;
const uint KEYS = LANES * TILE;              // of a block
const uint CHUNK_EIGHTS = 4;                 // of columns, in a chunk of queries and keys
const uint CHUNK_KEYS = 16;                  // in a chunk of values
const uint VALUE_FOURS = FOURS * LANES;      // of columns, in a row of it
// Loads of an invocation for a chunk: of eights, and of fours of a query's columns.
const uint KEY_LOADS = KEYS * CHUNK_EIGHTS / THREADS;
const uint QUERY_LOADS = ROWS * 2 * CHUNK_EIGHTS / THREADS;
const uint VALUE_LOADS = FOURS;

layout(local_size_x = 128) in;

#include "attention_merge.glsl"

// One more than what lies side by side, for different banks.
const uint QUERY_PITCH = ROWS + 1;
const uint KEY_PITCH = KEYS + 1;
const uint PROBABILITY_PITCH = KEYS / 4 + 1;

shared vec4 queryTile[2 * CHUNK_EIGHTS * QUERY_PITCH];  // by four of columns, then row
// By four of columns, then key; and, since these are not needed at once, probabilities by row, then four of keys.
shared vec4 keyTile[max(2 * CHUNK_EIGHTS * KEY_PITCH, ROWS * PROBABILITY_PITCH)];
shared vec4 valueTile[CHUNK_KEYS * VALUE_FOURS];        // by key, then four of columns
shared vec4 laneValues[ROWS][LANES / 4];

// A chunk of keys, zeros past the last column.
void loadKeys(uint firstKey, uint end, uint chunk, out vec4 low[KEY_LOADS], out vec4 high[KEY_LOADS]) {
    [[unroll]] for (uint n = 0; n < KEY_LOADS; n++) {
        uint i = gl_LocalInvocationID.x + n * THREADS;
        uint eight = chunk * CHUNK_EIGHTS + i % CHUNK_EIGHTS;
        low[n] = vec4(0);
        high[n] = vec4(0);
        if (eight < headDim / 8)
            LOAD8_OF_ROW(keys, rowOfKey(firstKey + i / CHUNK_EIGHTS, end), eight, low[n], high[n])
    }
}

void storeKeys(vec4 low[KEY_LOADS], vec4 high[KEY_LOADS]) {
    [[unroll]] for (uint n = 0; n < KEY_LOADS; n++) {
        uint i = gl_LocalInvocationID.x + n * THREADS;
        uint at = 2 * (i % CHUNK_EIGHTS) * KEY_PITCH + i / CHUNK_EIGHTS;
        keyTile[at] = low[n];
        keyTile[at + KEY_PITCH] = high[n];
    }
}

void loadQueries(uint chunk, out vec4 fours[QUERY_LOADS]) {
    [[unroll]] for (uint n = 0; n < QUERY_LOADS; n++) {
        uint i = gl_LocalInvocationID.x + n * THREADS;
        uint column = 4 * (chunk * 2 * CHUNK_EIGHTS + i % (2 * CHUNK_EIGHTS));
        uint at = queryOf(firstRow() + i / (2 * CHUNK_EIGHTS)) + column;
        fours[n] = vec4(0);
        if (column < headDim) fours[n] = vec4(queries[at], queries[at + 1], queries[at + 2], queries[at + 3]);
    }
}

void storeQueries(vec4 fours[QUERY_LOADS]) {
    [[unroll]] for (uint n = 0; n < QUERY_LOADS; n++) {
        uint i = gl_LocalInvocationID.x + n * THREADS;
        queryTile[i % (2 * CHUNK_EIGHTS) * QUERY_PITCH + i / (2 * CHUNK_EIGHTS)] = scale * fours[n];
    }
}

// A chunk of values. Past the last column the last eight is read again, and its sums dropped.
void loadValues(uint firstKey, uint end, out vec4 low[VALUE_LOADS], out vec4 high[VALUE_LOADS]) {
    [[unroll]] for (uint n = 0; n < VALUE_LOADS; n++) {
        uint i = gl_LocalInvocationID.x + n * THREADS;
        uint at = rowOfKey(firstKey + i / (VALUE_FOURS / 2), end);
        LOAD8_OF_ROW(values, at, min(i % (VALUE_FOURS / 2), headDim / 8 - 1), low[n], high[n])
    }
}

void storeValues(vec4 low[VALUE_LOADS], vec4 high[VALUE_LOADS]) {
    [[unroll]] for (uint n = 0; n < VALUE_LOADS; n++) {
        uint i = gl_LocalInvocationID.x + n * THREADS;
        valueTile[2 * i] = low[n];
        valueTile[2 * i + 1] = high[n];
    }
}

void main() {
    uint lane = gl_LocalInvocationID.x % LANES;
    uint team = gl_LocalInvocationID.x / LANES;
    uint chunks = (headDim / 8 + CHUNK_EIGHTS - 1) / CHUNK_EIGHTS;
    Slice slice = sliceOf(lastKeyOf(firstRow() + ROWS - 1) + 1, KEYS);
    if (gl_WorkGroupID.z >= slice.count) return;

    uint lastKey[TILE];
    float rowMaximum[TILE];
    float laneSum[TILE];  // of the weights of the lane's keys
    vec4 sums[TILE][FOURS];
    [[unroll]] for (uint r = 0; r < TILE; r++) {
        lastKey[r] = lastKeyOf(firstRow() + team + r * TEAMS);
        rowMaximum[r] = LOWEST;
        laneSum[r] = 0.0;
        [[unroll]] for (uint f = 0; f < FOURS; f++) sums[r][f] = vec4(0);
    }
    for (uint firstKey = slice.first; firstKey < slice.end; firstKey += KEYS) {
        float scores[TILE][TILE];
        [[unroll]] for (uint r = 0; r < TILE; r++)
            [[unroll]] for (uint k = 0; k < TILE; k++) scores[r][k] = 0.0;
        vec4 nextQueries[QUERY_LOADS];
        vec4 nextLow[KEY_LOADS];
        vec4 nextHigh[KEY_LOADS];
        loadQueries(0, nextQueries);
        loadKeys(firstKey, slice.end, 0, nextLow, nextHigh);
        for (uint chunk = 0; chunk < chunks; chunk++) {
            barrier();
            storeQueries(nextQueries);
            storeKeys(nextLow, nextHigh);
            barrier();
            if (chunk + 1 < chunks) {
                loadQueries(chunk + 1, nextQueries);
                loadKeys(firstKey, slice.end, chunk + 1, nextLow, nextHigh);
            }
            [[unroll]] for (uint f = 0; f < 2 * CHUNK_EIGHTS; f++) {
                vec4 ownKeys[TILE];
                [[unroll]] for (uint k = 0; k < TILE; k++) ownKeys[k] = keyTile[f * KEY_PITCH + lane + k * LANES];
                [[unroll]] for (uint r = 0; r < TILE; r++) {
                    vec4 query = queryTile[f * QUERY_PITCH + team + r * TEAMS];
                    [[unroll]] for (uint k = 0; k < TILE; k++) scores[r][k] = addProduct(scores[r][k], query, ownKeys[k]);
                }
            }
        }
        [[unroll]] for (uint k = 0; k < TILE; k++) {
            uint key = firstKey + lane + k * LANES;
            bool isSeen = key < slice.end && !isHidden(min(key, slice.end - 1));
            [[unroll]] for (uint r = 0; r < TILE; r++)
                if (!isSeen || key > lastKey[r]) scores[r][k] = NEGATIVE_INFINITY;
        }
        [[unroll]] for (uint r = 0; r < TILE; r++)
            laneValues[team + r * TEAMS][lane / 4][lane % 4] =
                max(max(scores[r][0], scores[r][1]), max(scores[r][2], scores[r][3]));
        barrier();
        [[unroll]] for (uint r = 0; r < TILE; r++) {
            uint row = team + r * TEAMS;
            float maximum = rowMaximum[r];
            [[unroll]] for (uint l = 0; l < LANES / 4; l++) {
                vec4 maxima = laneValues[row][l];
                maximum = max(maximum, max(max(maxima.x, maxima.y), max(maxima.z, maxima.w)));
            }
            float correction = exp(rowMaximum[r] - maximum);
            rowMaximum[r] = maximum;
            laneSum[r] *= correction;
            [[unroll]] for (uint f = 0; f < FOURS; f++) sums[r][f] *= correction;
            [[unroll]] for (uint k = 0; k < TILE; k++) {
                float probability = exp(scores[r][k] - maximum);
                uint key = lane + k * LANES;
                keyTile[row * PROBABILITY_PITCH + key / 4][key % 4] = probability;
                laneSum[r] += probability;
            }
        }
        vec4 nextValuesLow[VALUE_LOADS];
        vec4 nextValuesHigh[VALUE_LOADS];
        loadValues(firstKey, slice.end, nextValuesLow, nextValuesHigh);
        uint blockKeys = min(KEYS, slice.end - firstKey);
        for (uint first = 0; first < blockKeys; first += CHUNK_KEYS) {
            barrier();
            storeValues(nextValuesLow, nextValuesHigh);
            barrier();
            if (first + CHUNK_KEYS < blockKeys)
                loadValues(firstKey + first + CHUNK_KEYS, slice.end, nextValuesLow, nextValuesHigh);
            [[unroll]] for (uint k = 0; k < CHUNK_KEYS; k += 4) {
                vec4 probabilities[TILE];
                [[unroll]] for (uint r = 0; r < TILE; r++)
                    probabilities[r] = keyTile[(team + r * TEAMS) * PROBABILITY_PITCH + (first + k) / 4];
                [[unroll]] for (uint i = 0; i < 4; i++) {
                    [[unroll]] for (uint f = 0; f < FOURS; f++) {
                        vec4 value = valueTile[(k + i) * VALUE_FOURS + lane + f * LANES];
                        [[unroll]] for (uint r = 0; r < TILE; r++) sums[r][f] += probabilities[r][i] * value;
                    }
                }
            }
        }
    }

    [[unroll]] for (uint r = 0; r < TILE; r++) laneValues[team + r * TEAMS][lane / 4][lane % 4] = laneSum[r];
    barrier();
    [[unroll]] for (uint r = 0; r < TILE; r++) {
        uint row = team + r * TEAMS;
        vec4 laneSums = vec4(0);
        [[unroll]] for (uint l = 0; l < LANES / 4; l++) laneSums += laneValues[row][l];
        float weights = laneSums.x + laneSums.y + laneSums.z + laneSums.w;
        [[unroll]] for (uint f = 0; f < FOURS; f++) {
            uint four = lane + f * LANES;
            if (four < headDim / 4) storeSum(slice, row, four, sums[r][f], rowMaximum[r], weights);
        }
    }
    mergeSlices(slice);
}
