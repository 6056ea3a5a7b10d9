// `linear.comp` for many tokens on the device's matrix units: a workgroup brings a slice of its rows and tokens into shared
// memory, DEPTH columns at a time, and its subgroups multiply from there, while the next slice is on its way into registers.
//
// Matrix units multiply float16 and sum in float32. An activation is taken as the sum of two float16, what it is rounded to
// and what that leaves out, which together are good to 2^-22 of it, or 2^-32 where that is more. Weights of type float16 are
// exact, and those of bfloat16 from 2^-14 to 65504; those of other types are two float16 as well.
//
// A slice's sums start at zero and are added to those before by ordinary addition, since matrix units need not round to nearest:
// over a thousand terms in a row that would show.

#if defined(TILE_KHR128x64) || defined(TILE_NV128x64)
const uint TILE_ROWS = 128;
#define WIDE
#else
const uint TILE_ROWS = 64;
#endif
const uint TILE_TOKENS = 64;
const uint THREADS = 128;

#if !defined(TYPE_F16) && !defined(TYPE_BF16)
#define WEIGHT_RESTS
#endif

// All kinds keep within 32 KiB of shared memory.
#if defined(WIDE) || defined(WEIGHT_RESTS)
const uint DEPTH = 32;
#else
const uint DEPTH = 64;
#endif

layout(local_size_x = THREADS) in;

// A matrix of tokens is multiplied with one of the weight's rows.
const uint SIDE_TOKENS = SIDE_M;
const uint SIDE_ROWS = SIDE_N;
const uint SIDE_COLUMNS = SIDE_K;

// Half of the subgroups have the even matrices of a tile's rows, half the odd ones, so that each has sums of both halves of
// the rows.
const uint SUBTILE_TOKENS = 2 * LANES * TILE_TOKENS / THREADS;
const uint TOKEN_PARTS = SUBTILE_TOKENS / SIDE_TOKENS;
const uint ROW_PARTS = TILE_ROWS / 2 / SIDE_ROWS;
const uint COLUMN_PARTS = DEPTH / SIDE_COLUMNS;

const uint EIGHTS = DEPTH / 8;
const uint PITCH = EIGHTS + 1;  // of a row in shared memory, in eights: rows start in different banks
const uint ROW_STEP = THREADS / EIGHTS;
const uint WEIGHT_LOADS = TILE_ROWS / ROW_STEP;
const uint INPUT_LOADS = TILE_TOKENS / ROW_STEP;

// Where in shared memory, in eights, what lies.
const uint INPUTS = 0;
const uint INPUT_RESTS = TILE_TOKENS * PITCH;
const uint WEIGHTS = 2 * TILE_TOKENS * PITCH;
#ifdef WEIGHT_RESTS
const uint RESTS_OF_WEIGHTS = WEIGHTS + TILE_ROWS * PITCH;
shared uvec4 tile[RESTS_OF_WEIGHTS + TILE_ROWS * PITCH];
#else
shared uvec4 tile[WEIGHTS + TILE_ROWS * PITCH];
#endif

// What an invocation loads of a slice: an eight of every ROW_STEP-th row, as it lies in memory.
struct Slice {
    Loaded weights[WEIGHT_LOADS];
    vec4 inputs[2 * INPUT_LOADS];
};

// Eight `k` of each row; past the last one, the last one's.
Slice fetch(uint weightAt[WEIGHT_LOADS], uint inputAt[INPUT_LOADS], uint k) {
    Slice slice;
    uint place = min(k, (columns - 1) / 8);
    [[unroll]] for (uint l = 0; l < WEIGHT_LOADS; l++) FETCH8_OF_ROW(weights, weightAt[l], place, slice.weights[l])
    [[unroll]] for (uint l = 0; l < INPUT_LOADS; l++) {
        slice.inputs[2 * l] = inputs[inputAt[l] + 2 * place];
        slice.inputs[2 * l + 1] = inputs[inputAt[l] + 2 * place + 1];
    }
    return slice;
}

void putSplit(vec4 low, vec4 high, uint at, uint restAt) {
    low = clamp(low, -LARGEST, LARGEST);
    high = clamp(high, -LARGEST, LARGEST);
    uvec4 rounded = uvec4(packFour(low), packFour(high));
    tile[at] = rounded;
    tile[restAt] = uvec4(packFour(restOf(low, rounded.xy)), packFour(restOf(high, rounded.zw)));
}

// Brings what was fetched with `k` into shared memory. Past the last column activations are zeros.
void put(Slice slice, uint k) {
    uint own = gl_LocalInvocationID.x / EIGHTS * PITCH + gl_LocalInvocationID.x % EIGHTS;
    [[unroll]] for (uint l = 0; l < WEIGHT_LOADS; l++) {
        uint at = WEIGHTS + own + l * ROW_STEP * PITCH;
#ifdef TYPE_F16
        tile[at] = slice.weights[l];
#else
        vec4 low;
        vec4 high;
        UNPACK8_OF_ROW(slice.weights[l], min(k, (columns - 1) / 8), low, high)
#ifdef WEIGHT_RESTS
        putSplit(low, high, at, at + RESTS_OF_WEIGHTS - WEIGHTS);
#else
        tile[at] = uvec4(packFour(low), packFour(high));
#endif
#endif
    }
    [[unroll]] for (uint l = 0; l < INPUT_LOADS; l++) {
        uint at = own + l * ROW_STEP * PITCH;
        vec4 low = slice.inputs[2 * l];
        vec4 high = slice.inputs[2 * l + 1];
        if (8 * k + 8 > columns) {
            low = withinColumns(low, 2 * k);
            high = withinColumns(high, 2 * k + 1);
        }
        putSplit(INPUT_SCALE * low, INPUT_SCALE * high, INPUTS + at, INPUT_RESTS + at);
    }
}

float sumOfTile(uint at, uint i) { return uintBitsToFloat(tile[at + i / 4][i % 4]) / INPUT_SCALE; }

void main() {
    uint group = gl_WorkGroupID.x;
    uint firstToken = gl_WorkGroupID.y * TILE_TOKENS;
    uint batch;
    uint firstEight;
    uint endEight;
    ownSplit(EIGHTS, batch, firstEight, endEight);

    uint ownColumn = gl_LocalInvocationID.x % EIGHTS;
    uint ownRow = gl_LocalInvocationID.x / EIGHTS;
    uint weightAt[WEIGHT_LOADS];
    [[unroll]] for (uint l = 0; l < WEIGHT_LOADS; l++)
        weightAt[l] = weightOfRow(batch, rowOfTile(group, ownRow + l * ROW_STEP, TILE_ROWS));
    uint inputAt[INPUT_LOADS];
    [[unroll]] for (uint l = 0; l < INPUT_LOADS; l++)
        inputAt[l] = inputOfToken(batch, firstToken + ownRow + l * ROW_STEP);

    uint subtileToken = gl_SubgroupID / 2 * SUBTILE_TOKENS;
    uint oddRows = gl_SubgroupID % 2;
    SumMatrix sums[TOKEN_PARTS * ROW_PARTS];
    [[unroll]] for (uint i = 0; i < TOKEN_PARTS * ROW_PARTS; i++) sums[i] = SumMatrix(0.0);

    Slice slice = fetch(weightAt, inputAt, firstEight + ownColumn);
    for (uint first = firstEight; first < endEight; first += EIGHTS) {
        put(slice, first + ownColumn);
        barrier();
        slice = fetch(weightAt, inputAt, first + EIGHTS + ownColumn);

        SecondMatrix weights_[COLUMN_PARTS * ROW_PARTS];
        [[unroll]] for (uint k = 0; k < COLUMN_PARTS; k++)
            [[unroll]] for (uint r = 0; r < ROW_PARTS; r++) {
                uint at = (2 * r + oddRows) * SIDE_ROWS * PITCH + k * SIDE_COLUMNS / 8;
                LOAD_COLUMNS(weights_[k * ROW_PARTS + r], WEIGHTS + at, PITCH)
            }
        [[unroll]] for (uint t = 0; t < TOKEN_PARTS; t++) {
            uint tokenAt = (subtileToken + t * SIDE_TOKENS) * PITCH;
            FirstMatrix factor;
            SumMatrix parts[ROW_PARTS];
            [[unroll]] for (uint r = 0; r < ROW_PARTS; r++) parts[r] = SumMatrix(0.0);
            [[unroll]] for (uint k = 0; k < COLUMN_PARTS; k++) {
                LOAD_ROWS(factor, INPUT_RESTS + tokenAt + k * SIDE_COLUMNS / 8, PITCH)
                [[unroll]] for (uint r = 0; r < ROW_PARTS; r++)
                    parts[r] = MULTIPLY_ADD(factor, weights_[k * ROW_PARTS + r], parts[r]);
            }
#ifdef WEIGHT_RESTS
            [[unroll]] for (uint k = 0; k < COLUMN_PARTS; k++) {
                LOAD_ROWS(factor, INPUTS + tokenAt + k * SIDE_COLUMNS / 8, PITCH)
                [[unroll]] for (uint r = 0; r < ROW_PARTS; r++) {
                    SecondMatrix rest;
                    uint at = (2 * r + oddRows) * SIDE_ROWS * PITCH + k * SIDE_COLUMNS / 8;
                    LOAD_COLUMNS(rest, RESTS_OF_WEIGHTS + at, PITCH)
                    parts[r] = MULTIPLY_ADD(factor, rest, parts[r]);
                }
            }
#endif
            [[unroll]] for (uint r = 0; r < ROW_PARTS; r++) parts[r] = parts[r] * (1.0 / REST_SCALE);
            [[unroll]] for (uint k = 0; k < COLUMN_PARTS; k++) {
                LOAD_ROWS(factor, INPUTS + tokenAt + k * SIDE_COLUMNS / 8, PITCH)
                [[unroll]] for (uint r = 0; r < ROW_PARTS; r++)
                    parts[r] = MULTIPLY_ADD(factor, weights_[k * ROW_PARTS + r], parts[r]);
            }
            // One by one: SPIR-V's optimiser crashed on additions of matrices for years.
            [[unroll]] for (uint r = 0; r < ROW_PARTS; r++)
                [[unroll]] for (int i = 0; i < parts[r].length(); i++) sums[t * ROW_PARTS + r][i] += parts[r][i];
        }
        barrier();
    }

    // Which sum is in which lane is known only in memory. A subgroup has a part of the tile's, for two matrices.
    const uint SUM_FOURS = SIDE_TOKENS * SIDE_ROWS / 4;
    uint sumAt = gl_SubgroupID * 2 * SUM_FOURS;
    [[unroll]] for (uint t = 0; t < TOKEN_PARTS; t++)
        [[unroll]] for (uint r = 0; r < ROW_PARTS; r++) {
            STORE_ROWS(sums[t * ROW_PARTS + r], sumAt, SIDE_ROWS / 4)
            STORE_ROWS(sums[t * ROW_PARTS + (r + ROW_PARTS / 2) % ROW_PARTS], sumAt + SUM_FOURS, SIDE_ROWS / 4)
            subgroupBarrier();
            for (uint i = gl_SubgroupInvocationID; i < SIDE_TOKENS * SIDE_ROWS; i += LANES) {
                uint row = (2 * r + oddRows) * SIDE_ROWS + i % SIDE_ROWS;
                uint token = firstToken + subtileToken + t * SIDE_TOKENS + i / SIDE_ROWS;
                finish(
                    sumOfTile(sumAt, i), sumOfTile(sumAt + SUM_FOURS, i), batch, group, row, TILE_ROWS, token);
            }
            subgroupBarrier();
        }
}
