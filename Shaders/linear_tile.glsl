// `linear.comp` for many tokens: a workgroup brings a slice of its rows and tokens into shared memory, DEPTH columns at a time,
// and multiplies from there.
//
// Matrix units (M64x64) multiply float16 and sum in float32. An activation is taken as the sum of two float16, what it is
// rounded to and what that leaves out, which together are good to 2^-22 of it; float16 weights are exact, and so are bfloat16
// ones from 2^-14 to 65504.

const uint TILE_ROWS = 64;
const uint TILE_TOKENS = 64;
const uint THREADS = 128;

layout(local_size_x = THREADS) in;

#ifdef MATRIX_UNITS
const uint DEPTH = 32;
const uint PITCH = DEPTH + 8;  // of a row in shared memory: rows start in different banks
const uint SUM_PITCH = TILE_ROWS + 4;
const uint SIDE = 16;          // of a matrix that a subgroup multiplies
const uint SUBTILE = 32;       // rows and tokens of a subgroup: four of them share the tile
const uint PARTS = SUBTILE / SIDE;

#define Value float16_t
shared float16_t restTile[TILE_TOKENS * PITCH];
shared float sumTile[TILE_TOKENS * SUM_PITCH];
#else
const uint DEPTH = 16;
const uint PITCH = DEPTH + 1;
const uint OWN_ROWS = 8;    // of an invocation, every eighth one
const uint OWN_TOKENS = 4;  // every sixteenth one

#define Value float
#endif

shared Value weightTile[TILE_ROWS * PITCH];
shared Value inputTile[TILE_TOKENS * PITCH];

#ifdef MATRIX_UNITS
void storeInput(uint at, float value) {
    float16_t rounded = float16_t(clamp(value, -65504.0, 65504.0));
    inputTile[at] = rounded;
    restTile[at] = float16_t(clamp(value - float(rounded), -65504.0, 65504.0));
}
#else
void storeInput(uint at, float value) { inputTile[at] = value; }
#endif

// Columns from eight `first` on, of all rows and tokens of the tile. Past the last column activations are zeros.
void bringIn(uint batch, uint group, uint firstToken, uint first, uint eights) {
    const uint EIGHTS = DEPTH / 8;
    for (uint i = gl_LocalInvocationID.x; i < TILE_ROWS * EIGHTS; i += THREADS) {
        uint at = i / EIGHTS * PITCH + i % EIGHTS * 8;
        uint place = min(first + i % EIGHTS, eights - 1);
        vec4 low;
        vec4 high;
        uint row = weightOfRow(batch, rowOfTile(group, i / EIGHTS, TILE_ROWS));
        LOAD8_OF_ROW(weights, row, place, low, high)
        [[unroll]] for (uint c = 0; c < 4; c++) {
            weightTile[at + c] = Value(low[c]);
            weightTile[at + 4 + c] = Value(high[c]);
        }
    }
    for (uint i = gl_LocalInvocationID.x; i < TILE_TOKENS * EIGHTS; i += THREADS) {
        uint at = i / EIGHTS * PITCH + i % EIGHTS * 8;
        uint place = first + i % EIGHTS;
        vec4 low = vec4(0);
        vec4 high = vec4(0);
        if (place < eights) loadInput(inputOfToken(batch, firstToken + i / EIGHTS), place, low, high);
        [[unroll]] for (uint c = 0; c < 4; c++) {
            storeInput(at + c, low[c]);
            storeInput(at + 4 + c, high[c]);
        }
    }
}

void main() {
    uint group = gl_WorkGroupID.x;
    uint firstToken = gl_WorkGroupID.y * TILE_TOKENS;
    uint batch = gl_WorkGroupID.z;
    uint eights = (columns + 7) / 8;

#ifdef MATRIX_UNITS
    uint subtileRow = gl_SubgroupID % 2 * SUBTILE;
    uint subtileToken = gl_SubgroupID / 2 * SUBTILE;
    fcoopmatNV<32, gl_ScopeSubgroup, SIDE, SIDE> sums[PARTS][PARTS];
    [[unroll]] for (uint r = 0; r < PARTS; r++)
        [[unroll]] for (uint t = 0; t < PARTS; t++)
            sums[r][t] = fcoopmatNV<32, gl_ScopeSubgroup, SIDE, SIDE>(0.0);
    for (uint first = 0; first < eights; first += DEPTH / 8) {
        bringIn(batch, group, firstToken, first, eights);
        barrier();
        [[unroll]] for (uint k = 0; k < DEPTH; k += SIDE) {
            fcoopmatNV<16, gl_ScopeSubgroup, SIDE, SIDE> rowParts[PARTS];
            [[unroll]] for (uint r = 0; r < PARTS; r++)
                coopMatLoadNV(rowParts[r], weightTile, (subtileRow + r * SIDE) * PITCH + k, PITCH, false);
            [[unroll]] for (uint t = 0; t < PARTS; t++) {
                // A token's activations are a column of the second factor.
                uint at = (subtileToken + t * SIDE) * PITCH + k;
                fcoopmatNV<16, gl_ScopeSubgroup, SIDE, SIDE> rounded;
                fcoopmatNV<16, gl_ScopeSubgroup, SIDE, SIDE> left;
                coopMatLoadNV(rounded, inputTile, at, PITCH, true);
                coopMatLoadNV(left, restTile, at, PITCH, true);
                [[unroll]] for (uint r = 0; r < PARTS; r++) {
                    sums[r][t] = coopMatMulAddNV(rowParts[r], rounded, sums[r][t]);
                    sums[r][t] = coopMatMulAddNV(rowParts[r], left, sums[r][t]);
                }
            }
        }
        barrier();
    }
    [[unroll]] for (uint r = 0; r < PARTS; r++)
        [[unroll]] for (uint t = 0; t < PARTS; t++)
            coopMatStoreNV(
                sums[r][t], sumTile, (subtileToken + t * SIDE) * SUM_PITCH + subtileRow + r * SIDE, SUM_PITCH, true);
    barrier();
    for (uint i = gl_LocalInvocationID.x; i < TILE_ROWS * TILE_TOKENS; i += THREADS) {
        uint at = i / TILE_ROWS * SUM_PITCH;
        uint row = i % TILE_ROWS;
        float other = sumTile[at + (row + TILE_ROWS / 2) % TILE_ROWS];
        finish(sumTile[at + row], other, batch, group, row, TILE_ROWS, firstToken + i / TILE_ROWS);
    }
#else
    uint ownRow = gl_LocalInvocationID.x % 8;
    uint ownToken = gl_LocalInvocationID.x / 8;
    float sums[OWN_ROWS][OWN_TOKENS];
    [[unroll]] for (uint r = 0; r < OWN_ROWS; r++)
        [[unroll]] for (uint t = 0; t < OWN_TOKENS; t++) sums[r][t] = 0.0;
    for (uint first = 0; first < eights; first += DEPTH / 8) {
        bringIn(batch, group, firstToken, first, eights);
        barrier();
        for (uint k = 0; k < DEPTH; k++) {
            float inputs_[OWN_TOKENS];
            [[unroll]] for (uint t = 0; t < OWN_TOKENS; t++) inputs_[t] = inputTile[(ownToken + 16 * t) * PITCH + k];
            [[unroll]] for (uint r = 0; r < OWN_ROWS; r++) {
                float weight = weightTile[(ownRow + 8 * r) * PITCH + k];
                [[unroll]] for (uint t = 0; t < OWN_TOKENS; t++) sums[r][t] += weight * inputs_[t];
            }
        }
        barrier();
    }
    [[unroll]] for (uint r = 0; r < OWN_ROWS; r++) {
        [[unroll]] for (uint t = 0; t < OWN_TOKENS; t++) {
            float other = sums[(r + OWN_ROWS / 2) % OWN_ROWS][t];
            finish(sums[r][t], other, batch, group, ownRow + 8 * r, TILE_ROWS, firstToken + ownToken + 16 * t);
        }
    }
#endif
}
