// `linear.comp` for few tokens: a workgroup is one subgroup, whose lanes read a row's weights side by side, sum what they have,
// and add their sums up.

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint firstOutput = gl_WorkGroupID.x * ROWS;
    uint firstToken = gl_WorkGroupID.y * TOKENS;
    uint batch = gl_WorkGroupID.z;

    // Past the edges the last row or token is read again and its sum dropped.
    uint weightAt[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; r++)
        weightAt[r] = weightOffset + batch * weightBatchStride + min(firstOutput + r, rows - 1) * weightRowStride;
    uint inputAt[TOKENS];
    [[unroll]] for (uint t = 0; t < TOKENS; t++)
        inputAt[t] = inputOffset + (firstBatch + batch) * inputBatchStride + min(firstToken + t, tokens - 1) * inputRowStride;

    float sums[ROWS][TOKENS];
    [[unroll]] for (uint r = 0; r < ROWS; r++)
        [[unroll]] for (uint t = 0; t < TOKENS; t++) sums[r][t] = 0.0;
    for (uint k = lane; k < (columns + 7) / 8; k += gl_WorkGroupSize.x) {
        vec4 weightLow[ROWS];
        vec4 weightHigh[ROWS];
        [[unroll]] for (uint r = 0; r < ROWS; r++) LOAD8(weights, weightAt[r] + k, weightLow[r], weightHigh[r])
        [[unroll]] for (uint t = 0; t < TOKENS; t++) {
            vec4 inputLow;
            vec4 inputHigh;
            LOAD_INPUT(inputAt[t], k, inputLow, inputHigh)
            [[unroll]] for (uint r = 0; r < ROWS; r++)
                sums[r][t] += dot(weightLow[r], inputLow) + dot(weightHigh[r], inputHigh);
        }
    }
    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        [[unroll]] for (uint t = 0; t < TOKENS; t++) {
            float sum = subgroupAdd(sums[r][t]);
            if (lane == (r * TOKENS + t) % gl_WorkGroupSize.x && firstOutput + r < rows && firstToken + t < tokens)
                finish(sum, batch, firstOutput + r, firstToken + t);
        }
    }
}
