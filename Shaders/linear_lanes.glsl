// `linear.comp` for devices that load lane by lane, also where all lanes want the same value. A workgroup is one subgroup of
// eight lanes, and each lane has rows of its own; an activation is loaded by one lane and shuffled to all. Not broadcast:
// lavapipe looks for an active lane first, in a loop, where a shuffle is an instruction. A tile's unrolled body has to fit the
// processor's cache of decoded instructions.

#if defined(TILE_L8x16)
const uint TOKENS = 16;
#elif defined(TILE_L8x8)
const uint TOKENS = 8;
#else
const uint TOKENS = 1;
#endif
const uint ROWS = 8;
const uint LANES = 8;

layout(local_size_x = LANES) in;
// Whether columns are a multiple of 64, so that nothing loaded lies behind the last one.
layout(constant_id = 1) const bool FILLED = false;

vec4 loadFour(uint at, uint i) {
    return FILLED ? INPUT(at + i) : withinColumns(INPUT(at + min(i, (columns - 1) / 4)), i);
}

#if defined(QUANTIZED) && defined(TILE_L8x1)
#define BLOCKWISE
#include "linear_blocks.glsl"
#endif

// `dot` would be compiled to multiplications and additions of their own.
float sumOfProducts(vec4 a, vec4 b, vec4 c, vec4 d, float sum) {
    sum = fma(a.x, c.x, sum);
    sum = fma(a.y, c.y, sum);
    sum = fma(a.z, c.z, sum);
    sum = fma(a.w, c.w, sum);
    sum = fma(b.x, d.x, sum);
    sum = fma(b.y, d.y, sum);
    sum = fma(b.z, d.z, sum);
    return fma(b.w, d.w, sum);
}

#ifndef TILE_L8x1
// The sums, for a loop over them; a lane sees its own alone. What ends a sum is much code: written out for each of 128 it took Mesa 25
// three quarters of a minute to compile, and a loop takes as long to run. For one token it is slower there.
shared float ended[ROWS * TOKENS][LANES];
#endif

void main() {
    uint lane = gl_SubgroupInvocationID;
    // The tokens of one group of rows come one after another: its weights are still in the processor's cache then.
    uint group = gl_WorkGroupID.y;
    uint firstToken = gl_WorkGroupID.x * TOKENS;
    uint batch = gl_WorkGroupID.z;
    uint eights = (columns + 7) / 8;

    // Past the edges the last row or token is read again and its sum dropped.
    uint weightAt[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; r++) weightAt[r] = weightOfRow(batch, rowOfTile(group, r * LANES + lane, ROWS * LANES));

    float sums[ROWS][TOKENS];
    [[unroll]] for (uint r = 0; r < ROWS; r++)
        [[unroll]] for (uint t = 0; t < TOKENS; t++) sums[r][t] = 0.0;

#if defined(BLOCKWISE)
    float blockSums[ROWS];
    sumBlocks(weightAt, inputOfToken(batch, firstToken), blockSums);
    [[unroll]] for (uint r = 0; r < ROWS; r++) sums[r][0] = blockSums[r];
#elif defined(TILE_L8x1)
    // Lane l holds every eighth eight of activations, from the l-th on.
    uint inputAt = inputOfToken(batch, firstToken);
    for (uint first = 0; first < eights; first += LANES) {
        uint own = min(first + lane, eights - 1);
        vec4 ownLow = loadFour(inputAt, 2 * own);
        vec4 ownHigh = loadFour(inputAt, 2 * own + 1);
        [[unroll]] for (uint l = 0; l < LANES; l++) {
            vec4 inputLow = subgroupShuffle(ownLow, l);
            vec4 inputHigh = subgroupShuffle(ownHigh, l);
            if (FILLED || first + l < eights) {
                [[unroll]] for (uint r = 0; r < ROWS; r++) {
                    vec4 weightLow;
                    vec4 weightHigh;
                    LOAD8_OF_ROW(weights, weightAt[r], first + l, weightLow, weightHigh)
                    sums[r][0] = sumOfProducts(weightLow, weightHigh, inputLow, inputHigh, sums[r][0]);
                }
            }
        }
    }
#else
    // Lane l holds the activations of tokens l, l + 8, ...
    const uint GROUPS = TOKENS / LANES;
    uint inputAt[GROUPS];
    [[unroll]] for (uint g = 0; g < GROUPS; g++) inputAt[g] = inputOfToken(batch, firstToken + g * LANES + lane);
    for (uint k = 0; k < eights; k++) {
        vec4 ownLow[GROUPS];
        vec4 ownHigh[GROUPS];
        [[unroll]] for (uint g = 0; g < GROUPS; g++) {
            ownLow[g] = loadFour(inputAt[g], 2 * k);
            ownHigh[g] = loadFour(inputAt[g], 2 * k + 1);
        }
        vec4 weightLow[ROWS];
        vec4 weightHigh[ROWS];
        [[unroll]] for (uint r = 0; r < ROWS; r++) LOAD8_OF_ROW(weights, weightAt[r], k, weightLow[r], weightHigh[r])
        [[unroll]] for (uint t = 0; t < TOKENS; t++) {
            vec4 inputLow = subgroupShuffle(ownLow[t / LANES], t % LANES);
            vec4 inputHigh = subgroupShuffle(ownHigh[t / LANES], t % LANES);
            [[unroll]] for (uint r = 0; r < ROWS; r++)
                sums[r][t] = sumOfProducts(weightLow[r], weightHigh[r], inputLow, inputHigh, sums[r][t]);
        }
    }
#endif

#ifdef TILE_L8x1
    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        float other = sums[(r + ROWS / 2) % ROWS][0];
        finish(sums[r][0], other, batch, group, r * LANES + lane, ROWS * LANES, firstToken);
    }
#else
    [[unroll]] for (uint r = 0; r < ROWS; r++)
        [[unroll]] for (uint t = 0; t < TOKENS; t++) ended[r * TOKENS + t][lane] = sums[r][t];
    [[dont_unroll]] for (uint i = 0; i < ROWS * TOKENS; i++) {
        float other = ended[(i + ROWS / 2 * TOKENS) % (ROWS * TOKENS)][lane];
        finish(ended[i][lane], other, batch, group, i / TOKENS * LANES + lane, ROWS * LANES, firstToken + i % TOKENS);
    }
#endif
}
