// `linear.comp` for many tokens: a workgroup brings a slice of its rows and tokens into shared memory, DEPTH columns at a time,
// and multiplies from there.

const uint TILE_ROWS = 64;
const uint TILE_TOKENS = 64;
const uint THREADS = 128;
const uint DEPTH = 16;
const uint PITCH = DEPTH + 1;  // of a row in shared memory: rows start in different banks
const uint OWN_ROWS = 8;       // of an invocation, every eighth one
const uint OWN_TOKENS = 4;     // every sixteenth one

layout(local_size_x = THREADS) in;

shared float weightTile[TILE_ROWS * PITCH];
shared float inputTile[TILE_TOKENS * PITCH];

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
            weightTile[at + c] = low[c];
            weightTile[at + 4 + c] = high[c];
        }
    }
    for (uint i = gl_LocalInvocationID.x; i < TILE_TOKENS * EIGHTS; i += THREADS) {
        uint at = i / EIGHTS * PITCH + i % EIGHTS * 8;
        uint place = first + i % EIGHTS;
        vec4 low = vec4(0);
        vec4 high = vec4(0);
        if (place < eights) loadInput(inputOfToken(batch, firstToken + i / EIGHTS), place, low, high);
        [[unroll]] for (uint c = 0; c < 4; c++) {
            inputTile[at + c] = low[c];
            inputTile[at + 4 + c] = high[c];
        }
    }
}

void main() {
    uint group = gl_WorkGroupID.x;
    uint firstToken = gl_WorkGroupID.y * TILE_TOKENS;
    uint batch;
    uint firstEight;
    uint endEight;
    ownSplit(DEPTH / 8, batch, firstEight, endEight);
    uint eights = (columns + 7) / 8;

    uint ownRow = gl_LocalInvocationID.x % 8;
    uint ownToken = gl_LocalInvocationID.x / 8;
    float sums[OWN_ROWS][OWN_TOKENS];
    [[unroll]] for (uint r = 0; r < OWN_ROWS; r++)
        [[unroll]] for (uint t = 0; t < OWN_TOKENS; t++) sums[r][t] = 0.0;
    for (uint first = firstEight; first < endEight; first += DEPTH / 8) {
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
}
