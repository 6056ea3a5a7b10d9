// `linear.comp` for devices that load lane by lane, also where all lanes want the same value. A workgroup is one subgroup of
// eight lanes, and each lane has rows of its own; an activation is loaded by one lane and broadcast. A tile's unrolled body has
// to fit the processor's cache of decoded instructions.

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

void main() {
    uint lane = gl_SubgroupInvocationID;
    uint group = gl_WorkGroupID.x;
    uint firstToken = gl_WorkGroupID.y * TOKENS;
    uint batch = gl_WorkGroupID.z;
    uint eights = (columns + 7) / 8;

    // Past the edges the last row or token is read again and its sum dropped.
    uint weightAt[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; r++) weightAt[r] = weightOfRow(batch, rowOfTile(group, r * LANES + lane, ROWS * LANES));

    float sums[ROWS][TOKENS];
    [[unroll]] for (uint r = 0; r < ROWS; r++)
        [[unroll]] for (uint t = 0; t < TOKENS; t++) sums[r][t] = 0.0;

#ifdef TILE_L8x1
    // Lane l holds every eighth eight of activations, from the l-th on.
    uint inputAt = inputOfToken(batch, firstToken);
    for (uint first = 0; first < eights; first += LANES) {
        vec4 ownLow;
        vec4 ownHigh;
        loadInput(inputAt, min(first + lane, eights - 1), ownLow, ownHigh);
        [[unroll]] for (uint l = 0; l < LANES; l++) {
            vec4 inputLow = subgroupBroadcast(ownLow, l);
            vec4 inputHigh = subgroupBroadcast(ownHigh, l);
            if (first + l < eights) {
                [[unroll]] for (uint r = 0; r < ROWS; r++) {
                    vec4 weightLow;
                    vec4 weightHigh;
                    LOAD8(weights, weightAt[r] + first + l, weightLow, weightHigh)
                    sums[r][0] += dot(weightLow, inputLow) + dot(weightHigh, inputHigh);
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
        [[unroll]] for (uint g = 0; g < GROUPS; g++) loadInput(inputAt[g], k, ownLow[g], ownHigh[g]);
        vec4 weightLow[ROWS];
        vec4 weightHigh[ROWS];
        [[unroll]] for (uint r = 0; r < ROWS; r++) LOAD8(weights, weightAt[r] + k, weightLow[r], weightHigh[r])
        [[unroll]] for (uint t = 0; t < TOKENS; t++) {
            vec4 inputLow = subgroupBroadcast(ownLow[t / LANES], t % LANES);
            vec4 inputHigh = subgroupBroadcast(ownHigh[t / LANES], t % LANES);
            [[unroll]] for (uint r = 0; r < ROWS; r++)
                sums[r][t] += dot(weightLow[r], inputLow) + dot(weightHigh[r], inputHigh);
        }
    }
#endif

    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        [[unroll]] for (uint t = 0; t < TOKENS; t++) {
            float other = sums[(r + ROWS / 2) % ROWS][t];
            finish(sums[r][t], other, batch, group, r * LANES + lane, ROWS * LANES, firstToken + t);
        }
    }
}
