// A matrix product with a weight as the file holds it: output = activation(input * weight^T + bias) + residual.
//
// Each invocation computes a tile of ROWS weight rows by TOKENS tokens in registers, so that every weight it loads is
// used TOKENS times and every activation ROWS times. 1 token is decode. With few tokens, where loads decide, a subgroup
// computes a tile together instead (S4x1, S4x8): see `linear_subgroup.glsl`.
//
// Most devices load an activation for all lanes at once where all want the same one. Those that gather lane by lane do not;
// for them, with subgroups of eight, the tiles L8x16, L8x8 and L8x1 let each lane load another activation and broadcast it,
// and read texels. There a tile's unrolled body also has to fit the processor's cache of decoded instructions.
//
// variant TYPE: F32 F16 BF16
// variant TILE: 8x8 4x1 S4x1 S4x8 L8x16 L8x8 L8x1
#version 460
#extension GL_EXT_control_flow_attributes : require
#if defined(TILE_L8x16) || defined(TILE_L8x8) || defined(TILE_L8x1)
#define TEXELS
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_ballot : require
#endif
#if defined(TILE_S4x1) || defined(TILE_S4x8)
#define BY_SUBGROUP
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif
#include "types.glsl"

#if defined(TILE_4x1) || defined(BY_SUBGROUP)
const uint ROWS = 4;
#else
const uint ROWS = 8;
#endif
#if defined(TILE_L8x16)
const uint TOKENS = 16;
#elif defined(TILE_8x8) || defined(TILE_L8x8) || defined(TILE_S4x8)
const uint TOKENS = 8;
#else
const uint TOKENS = 1;
#endif

#ifdef BY_SUBGROUP
layout(local_size_x_id = 0) in;
#elif defined(TEXELS)
layout(local_size_x = 8) in;
#else
layout(local_size_x = 32) in;
#endif

#ifdef TEXELS
layout(set = 0, binding = 0) uniform usamplerBuffer inputs;
layout(set = 0, binding = 1) uniform usamplerBuffer weights;
#define INPUT(i) uintBitsToFloat(texelFetch(inputs, int(i)))
#else
layout(set = 0, binding = 0) readonly buffer Input { vec4 inputs[]; };
layout(set = 0, binding = 1) readonly buffer Weight { Eight weights[]; };
#define INPUT(i) inputs[i]
#endif
// The k-th eight of activations of a row. What lies behind the last column is not ours to read: it may be anything, NaN
// included. A weight has zeros there.
#define LOAD_INPUT(at, k, low, high) { \
    uint eight = k; \
    uint column = 8 * eight; \
    low = mix(vec4(0), INPUT((at) + 2 * eight), lessThan(column + uvec4(0, 1, 2, 3), uvec4(columns))); \
    high = mix(vec4(0), INPUT((at) + 2 * eight + 1), lessThan(column + uvec4(4, 5, 6, 7), uvec4(columns))); \
}
layout(set = 0, binding = 2) readonly buffer Bias { float biases[]; };
layout(set = 0, binding = 3) readonly buffer Residual { float residuals[]; };
layout(set = 0, binding = 4) writeonly buffer Output { float outputs[]; };

layout(push_constant) uniform Arguments {
    uint columns;            // of the weight: terms of each sum
    uint rows;               // of the weight in this window
    uint firstRow;           // of the window, in the whole weight
    uint tokens;
    uint weightOffset;       // in eights, as the next two
    uint weightRowStride;
    uint weightBatchStride;
    uint inputOffset;        // in fours, as the next two
    uint inputRowStride;
    uint inputBatchStride;
    uint biasBatchStride;
    uint residualOffset;
    uint residualRowStride;
    uint residualBatchStride;
    uint outputOffset;
    uint outputRowStride;
    uint outputBatchStride;
    uint firstBatch;         // of the window
    uint flags;              // 1: bias, 2: residual, 4: gelu
};

// The error function after Abramowitz and Stegun 7.1.26. It is good to 1.5e-7, which is what float32 resolves of the
// `1 + erf` it goes into.
float erf(float x) {
    float t = 1.0 / (1.0 + 0.3275911 * abs(x));
    float polynomial =
        t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return sign(x) * (1.0 - polynomial * exp(-x * x));
}

float gelu(float x) {
    return 0.5 * x * (1.0 + erf(x * 0.70710678118654752));
}

// Ends the sum of a row and a token of matrix `batch` of the window.
void finish(float sum, uint batch, uint row, uint token) {
    uint output_ = firstRow + row;
    uint matrix = firstBatch + batch;
    float value = sum;
    if ((flags & 1) != 0) value += biases[matrix * biasBatchStride + output_];
    if ((flags & 4) != 0) value = gelu(value);
    if ((flags & 2) != 0)
        value += residuals[residualOffset + matrix * residualBatchStride + token * residualRowStride + output_];
    outputs[outputOffset + matrix * outputBatchStride + token * outputRowStride + output_] = value;
}

#ifdef BY_SUBGROUP
#include "linear_subgroup.glsl"
#else
void main() {
    uint firstOutput = gl_WorkGroupID.x * (ROWS * gl_WorkGroupSize.x) + gl_LocalInvocationID.x;
    uint firstToken = gl_WorkGroupID.y * TOKENS;
    uint batch = gl_WorkGroupID.z;
    uint eights = (columns + 7) / 8;
#ifndef TEXELS
    if (firstOutput >= rows) return;
#endif

    // Past the edges the last row or token is read again and its sum dropped.
    uint weightAt[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        uint row = min(firstOutput + r * gl_WorkGroupSize.x, rows - 1);
        weightAt[r] = weightOffset + batch * weightBatchStride + row * weightRowStride;
    }
    uint batchAt = inputOffset + (firstBatch + batch) * inputBatchStride;

    float sums[ROWS][TOKENS];
    [[unroll]] for (uint r = 0; r < ROWS; r++)
        [[unroll]] for (uint t = 0; t < TOKENS; t++) sums[r][t] = 0.0;

#if defined(TILE_L8x1)
    // Lane l of a subgroup holds every eighth eight of activations, from the l-th on.
    uint inputAt = batchAt + firstToken * inputRowStride;
    for (uint first = 0; first < eights; first += 8) {
        vec4 ownLow;
        vec4 ownHigh;
        LOAD_INPUT(inputAt, min(first + gl_SubgroupInvocationID, eights - 1), ownLow, ownHigh)
        [[unroll]] for (uint lane = 0; lane < 8; lane++) {
            vec4 inputLow = subgroupBroadcast(ownLow, lane);
            vec4 inputHigh = subgroupBroadcast(ownHigh, lane);
            if (first + lane < eights) {
                [[unroll]] for (uint r = 0; r < ROWS; r++) {
                    vec4 weightLow;
                    vec4 weightHigh;
                    LOAD8(weights, weightAt[r] + first + lane, weightLow, weightHigh)
                    sums[r][0] += dot(weightLow, inputLow) + dot(weightHigh, inputHigh);
                }
            }
        }
    }
#elif defined(TEXELS)
    // Lane l of a subgroup holds the activations of tokens l, l + 8, ...
    const uint GROUPS = TOKENS / 8;
    uint inputAt[GROUPS];
    [[unroll]] for (uint g = 0; g < GROUPS; g++)
        inputAt[g] = batchAt + min(firstToken + g * 8 + gl_SubgroupInvocationID, tokens - 1) * inputRowStride;
    for (uint k = 0; k < eights; k++) {
        vec4 ownLow[GROUPS];
        vec4 ownHigh[GROUPS];
        [[unroll]] for (uint g = 0; g < GROUPS; g++) LOAD_INPUT(inputAt[g], k, ownLow[g], ownHigh[g])
        vec4 weightLow[ROWS];
        vec4 weightHigh[ROWS];
        [[unroll]] for (uint r = 0; r < ROWS; r++) LOAD8(weights, weightAt[r] + k, weightLow[r], weightHigh[r])
        [[unroll]] for (uint t = 0; t < TOKENS; t++) {
            vec4 inputLow = subgroupBroadcast(ownLow[t / 8], t % 8);
            vec4 inputHigh = subgroupBroadcast(ownHigh[t / 8], t % 8);
            [[unroll]] for (uint r = 0; r < ROWS; r++)
                sums[r][t] += dot(weightLow[r], inputLow) + dot(weightHigh[r], inputHigh);
        }
    }
#else
    uint inputAt[TOKENS];
    [[unroll]] for (uint t = 0; t < TOKENS; t++) inputAt[t] = batchAt + min(firstToken + t, tokens - 1) * inputRowStride;
    for (uint k = 0; k < eights; k++) {
        vec4 inputLow[TOKENS];
        vec4 inputHigh[TOKENS];
        [[unroll]] for (uint t = 0; t < TOKENS; t++) LOAD_INPUT(inputAt[t], k, inputLow[t], inputHigh[t])
        [[unroll]] for (uint r = 0; r < ROWS; r++) {
            vec4 weightLow;
            vec4 weightHigh;
            LOAD8(weights, weightAt[r] + k, weightLow, weightHigh)
            [[unroll]] for (uint t = 0; t < TOKENS; t++)
                sums[r][t] += dot(weightLow, inputLow[t]) + dot(weightHigh, inputHigh[t]);
        }
    }
#endif

    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        uint row = firstOutput + r * gl_WorkGroupSize.x;
        if (row >= rows) break;
        [[unroll]] for (uint t = 0; t < TOKENS; t++) {
            uint token = firstToken + t;
            if (token >= tokens) break;
            finish(sums[r][t], batch, row, token);
        }
    }
}
#endif
