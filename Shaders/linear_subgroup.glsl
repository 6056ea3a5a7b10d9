// `linear.comp` for few tokens: a workgroup is one subgroup, whose lanes read a row's weights side by side, sum what they have,
// and add their sums up.

#ifdef TILE_S8x8
const uint TOKENS = 8;
#else
const uint TOKENS = 1;
#endif
const uint ROWS = 8;

layout(local_size_x_id = 0) in;

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint group = gl_WorkGroupID.x;
    uint firstToken = gl_WorkGroupID.y * TOKENS;
    uint batch = gl_WorkGroupID.z;

    // Past the edges the last row or token is read again and its sum dropped.
    uint weightAt[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; r++) weightAt[r] = weightOfRow(batch, rowOfTile(group, r, ROWS));
    uint inputAt[TOKENS];
    [[unroll]] for (uint t = 0; t < TOKENS; t++) inputAt[t] = inputOfToken(batch, firstToken + t);

    float sums[ROWS][TOKENS];
    [[unroll]] for (uint r = 0; r < ROWS; r++)
        [[unroll]] for (uint t = 0; t < TOKENS; t++) sums[r][t] = 0.0;
    for (uint k = lane; k < (columns + 7) / 8; k += gl_WorkGroupSize.x) {
        vec4 inputLow[TOKENS];
        vec4 inputHigh[TOKENS];
        [[unroll]] for (uint t = 0; t < TOKENS; t++) loadInput(inputAt[t], k, inputLow[t], inputHigh[t]);
        [[unroll]] for (uint r = 0; r < ROWS; r++) {
            vec4 weightLow;
            vec4 weightHigh;
            LOAD8(weights, weightAt[r] + k, weightLow, weightHigh)
            [[unroll]] for (uint t = 0; t < TOKENS; t++)
                sums[r][t] += dot(weightLow, inputLow[t]) + dot(weightHigh, inputHigh[t]);
        }
    }
    [[unroll]] for (uint r = 0; r < ROWS; r++)
        [[unroll]] for (uint t = 0; t < TOKENS; t++) sums[r][t] = subgroupAdd(sums[r][t]);
    [[unroll]] for (uint r = 0; r < ROWS; r++)
        [[unroll]] for (uint t = 0; t < TOKENS; t++)
            if (lane == (r * TOKENS + t) % gl_WorkGroupSize.x)
                finish(sums[r][t], sums[(r + ROWS / 2) % ROWS][t], batch, group, r, ROWS, firstToken + t);
}
