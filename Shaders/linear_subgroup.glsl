// `linear.comp` for few tokens, such as one in decode, where what counts is to have many loads under way: a workgroup has a few
// rows, whose columns its invocations take side by side, and adds up what they have.
//
// Of quantized weights and one token, an invocation takes whole units, and eight of them the eight rows that are stored side by
// side: that is how memory is read from end to end.

#if defined(TILE_S8)
const uint TOKENS = 8;
const uint ROWS = 4;
const uint STEPS = 1;  // loads of an invocation that don't wait for each other
#else
const uint TOKENS = 1;
#ifdef QUANTIZED
#define BY_UNITS
const uint ROWS = 8;
#else
const uint ROWS = 2;
#endif
const uint STEPS = 4;
#endif
const uint SUMS = ROWS * TOKENS + TOKENS;  // the last ones are of squares
const uint MOST_SUBGROUPS = 32;

layout(local_size_x_id = 0) in;

#include "linear_norm.glsl"
#ifdef BY_UNITS
layout(set = 0, binding = 4) readonly buffer Units { uvec4 weightUnits[]; };
#endif

shared float partialSums[MOST_SUBGROUPS * SUMS];

// Makes each of an invocation's sums that of all invocations.
void addUp(inout float sums[SUMS]) {
    const uint count = NORMALISES ? SUMS : SUMS - TOKENS;
    [[unroll]] for (uint i = 0; i < SUMS; i++) if (i < count) sums[i] = subgroupAdd(sums[i]);
    if (gl_NumSubgroups == 1) return;
    // What is there of the rows before has been read.
    barrier();
    if (subgroupElect()) {
        [[unroll]] for (uint i = 0; i < SUMS; i++) if (i < count) partialSums[gl_SubgroupID * SUMS + i] = sums[i];
    }
    barrier();
    [[unroll]] for (uint i = 0; i < SUMS; i++) {
        sums[i] = 0.0;
        for (uint s = 0; i < count && s < gl_NumSubgroups; s++) sums[i] += partialSums[s * SUMS + i];
    }
}

#ifdef BY_UNITS
void sumRows(uint batch, uint group, uint firstToken, inout float sums[SUMS]) {
    uint units = (columns + 31) / 32 * BLOCK_UNITS;
    uint own = gl_LocalInvocationID.x % ROWS;
    uint row = weightOfRow(batch, rowOfTile(group, own, ROWS));
    uint inputAt = inputOfToken(batch, firstToken);
    uint step_ = gl_WorkGroupSize.x / ROWS;
    float sum = 0.0;
    float squares = 0.0;
    for (uint first = gl_LocalInvocationID.x / ROWS; first < units; first += STEPS * step_) {
        [[unroll]] for (uint s = 0; s < STEPS; s++) {
            uint u = first + s * step_;
            uint place = min(u, units - 1);
            uint block = place / BLOCK_UNITS;
            uvec4 unit = weightUnits[row + integerUnit(block) + 8 * (place % BLOCK_UNITS)];
            uint word = scaleWord(row, block);
            float part = 0.0;
            [[unroll]] for (uint e = 0; e < UNIT_EIGHTS; e++) {
                vec4 inputLow;
                vec4 inputHigh;
                loadActivations(inputAt, u * UNIT_EIGHTS + e, squares, inputLow, inputHigh);
                vec4 low;
                vec4 high;
                unpackIntegers(EIGHT_OF_UNIT(unit, e), low, high);
                part += dot(low - BIAS, inputLow) + dot(high - BIAS, inputHigh);
            }
            sum += scaleOfBlock(weightsScales[word], block) * part;
        }
    }
    [[unroll]] for (uint r = 0; r < ROWS; r++) sums[r] = own == r ? sum : 0.0;
    sums[ROWS] = own == 0 ? squares : 0.0;
}
#else
void sumRows(uint batch, uint group, uint firstToken, inout float sums[SUMS]) {
    // Past the edges the last row or token is read again and its sum dropped.
    uint weightAt[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; r++) weightAt[r] = weightOfRow(batch, rowOfTile(group, r, ROWS));
    uint inputAt[TOKENS];
    [[unroll]] for (uint t = 0; t < TOKENS; t++) inputAt[t] = inputOfToken(batch, firstToken + t);
    uint eights = (columns + 7) / 8;
    for (uint first = gl_LocalInvocationID.x; first < eights; first += STEPS * gl_WorkGroupSize.x) {
        [[unroll]] for (uint s = 0; s < STEPS; s++) {
            uint k = first + s * gl_WorkGroupSize.x;
            vec4 inputLow[TOKENS];
            vec4 inputHigh[TOKENS];
            [[unroll]] for (uint t = 0; t < TOKENS; t++)
                loadActivations(inputAt[t], k, sums[ROWS * TOKENS + t], inputLow[t], inputHigh[t]);
            [[unroll]] for (uint r = 0; r < ROWS; r++) {
                vec4 low;
                vec4 high;
                LOAD8_OF_ROW(weights, weightAt[r], min(k, eights - 1), low, high)
                [[unroll]] for (uint t = 0; t < TOKENS; t++)
                    sums[r * TOKENS + t] += dot(low, inputLow[t]) + dot(high, inputHigh[t]);
            }
        }
    }
}
#endif

void main() {
    uint firstToken = gl_WorkGroupID.y * TOKENS;
    uint batch = gl_WorkGroupID.z;
    // A head has more rows than some devices have workgroups.
    for (uint group = gl_WorkGroupID.x; group * ROWS < rows; group += gl_NumWorkGroups.x) {
        float sums[SUMS];
        [[unroll]] for (uint i = 0; i < SUMS; i++) sums[i] = 0.0;
        sumRows(batch, group, firstToken, sums);
        addUp(sums);
        [[unroll]] for (uint t = 0; t < TOKENS; t++) {
            float factor = factorOfNorm(sums[ROWS * TOKENS + t]);
            [[unroll]] for (uint r = 0; r < ROWS; r++) {
                if (gl_LocalInvocationID.x != (r * TOKENS + t) % gl_WorkGroupSize.x) continue;
                float other = sums[(r + ROWS / 2) % ROWS * TOKENS + t];
                finish(factor * sums[r * TOKENS + t], factor * other, batch, group, r, ROWS, firstToken + t);
            }
        }
    }
}
