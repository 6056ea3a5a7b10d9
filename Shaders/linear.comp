// A matrix product with a weight as the file holds it: output = activation(input * weight^T + bias) + residual.
//
// Each invocation computes a tile of ROWS weight rows by TOKENS tokens in registers, so that every weight it loads is
// used TOKENS times and every activation ROWS times. 1 token is decode.
//
// Most devices load an activation for all lanes at once where all want the same one. Those that gather lane by lane do not;
// for them, with subgroups of eight, the tiles 8x32 and 8x1 let each lane load another activation and broadcast it, and load
// words of 64 bits.
//
// variant TYPE: F32 F16 BF16 Q8_0 Q4_0
// variant TILE: 8x8 4x1 8x32 8x1
#version 460
#extension GL_EXT_control_flow_attributes : require
#if defined(TILE_8x32) || defined(TILE_8x1)
#define WIDE
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_ballot : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#endif
#include "types.glsl"

#ifdef TILE_8x8
const uint ROWS = 8;
const uint TOKENS = 8;
#endif
#ifdef TILE_4x1
const uint ROWS = 4;
const uint TOKENS = 1;
#endif

#ifdef TILE_8x32
const uint ROWS = 8;
const uint TOKENS = 32;
#endif
#ifdef TILE_8x1
const uint ROWS = 8;
const uint TOKENS = 1;
#endif

layout(local_size_x = 32) in;

#ifdef WIDE
layout(set = 0, binding = 0) readonly buffer Input { u64vec2 inputs[]; };
#define INPUT(i) uintBitsToFloat(HALVES(inputs[i]))
#else
layout(set = 0, binding = 0) readonly buffer Input { vec4 inputs[]; };
#define INPUT(i) inputs[i]
#endif
layout(set = 0, binding = 1) readonly buffer Weight { Eight weights[]; };
#ifdef QUANTIZED
layout(set = 0, binding = 1) readonly buffer Scales { uint weightsScales[]; };
#endif
layout(set = 0, binding = 2) readonly buffer Bias { float biases[]; };
layout(set = 0, binding = 3) readonly buffer Residual { float residuals[]; };
layout(set = 0, binding = 4) writeonly buffer Output { float outputs[]; };

layout(push_constant) uniform Arguments {
    uint columns;            // of the weight: terms of each sum
    uint rows;               // of the weight in this window
    uint firstRow;           // of the window, in the whole weight
    uint tokens;
    uint weightOffset;       // in eights or, quantized, units, as the next two
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

// Activations 4i ... 4i + 3 of the token at `at`. What lies behind the last column is not ours to read: it may be anything, NaN
// included.
vec4 activations(uint at, uint i) {
    return mix(vec4(0), INPUT(at + min(i, (columns - 1) / 4)), lessThan(4 * i + uvec4(0, 1, 2, 3), uvec4(columns)));
}

#if defined(QUANTIZED) && (defined(TILE_8x1) || defined(TILE_4x1))
#define BLOCKWISE
#include "linear_blocks.glsl"
#endif

void main() {
    uint firstOutput = gl_WorkGroupID.x * (ROWS * gl_WorkGroupSize.x) + gl_LocalInvocationID.x;
    uint firstToken = gl_WorkGroupID.y * TOKENS;
    uint batch = gl_WorkGroupID.z;
#ifndef WIDE
    if (firstOutput >= rows) return;
#endif

    // Past the edges the last row or token is read again and its sum dropped.
    uint weightAt[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        uint row = min(firstOutput + r * gl_WorkGroupSize.x, rows - 1);
        weightAt[r] = weightOffset + batch * weightBatchStride + ROW(row, weightRowStride);
    }
    uint inputAt[TOKENS];
    [[unroll]] for (uint t = 0; t < TOKENS; t++) {
        uint token = min(firstToken + t, tokens - 1);
        inputAt[t] = inputOffset + (firstBatch + batch) * inputBatchStride + token * inputRowStride;
    }

    float sums[ROWS][TOKENS];
    [[unroll]] for (uint r = 0; r < ROWS; r++)
        [[unroll]] for (uint t = 0; t < TOKENS; t++) sums[r][t] = 0.0;

#if defined(BLOCKWISE)
    float blockSums[ROWS];
    sumBlocks(weightAt, inputAt[0], blockSums);
    [[unroll]] for (uint r = 0; r < ROWS; r++) sums[r][0] = blockSums[r];
#elif defined(TILE_8x32)
    // Lane l of a subgroup holds the activations of tokens l, l + 8, ...
    const uint GROUPS = TOKENS / 8;
    uint own[GROUPS];
    [[unroll]] for (uint g = 0; g < GROUPS; g++) {
        uint token = min(firstToken + g * 8 + gl_SubgroupInvocationID, tokens - 1);
        own[g] = inputOffset + (firstBatch + batch) * inputBatchStride + token * inputRowStride;
    }
    // Past the last column activations are masked, and weights are zeros.
    for (uint k = 0; k < (columns + 7) / 8; k++) {
        vec4 ownLow[GROUPS];
        vec4 ownHigh[GROUPS];
        [[unroll]] for (uint g = 0; g < GROUPS; g++) {
            ownLow[g] = activations(own[g], 2 * k);
            ownHigh[g] = activations(own[g], 2 * k + 1);
        }
        vec4 weightLow[ROWS];
        vec4 weightHigh[ROWS];
        [[unroll]] for (uint r = 0; r < ROWS; r++) LOAD8_OF_ROW(weights, weightAt[r], k, weightLow[r], weightHigh[r])
        [[unroll]] for (uint t = 0; t < TOKENS; t++) {
            vec4 inputLow = subgroupBroadcast(ownLow[t / 8], t % 8);
            vec4 inputHigh = subgroupBroadcast(ownHigh[t / 8], t % 8);
            [[unroll]] for (uint r = 0; r < ROWS; r++)
                sums[r][t] += dot(weightLow[r], inputLow) + dot(weightHigh[r], inputHigh);
        }
    }
#elif defined(TILE_8x1)
    // Lane l of a subgroup holds every eighth eight of activations, from the l-th on.
    for (uint first = 0; first < columns / 8; first += 8) {
        uint k = min(first + gl_SubgroupInvocationID, columns / 8 - 1);
        vec4 ownLow = INPUT(inputAt[0] + 2 * k);
        vec4 ownHigh = INPUT(inputAt[0] + 2 * k + 1);
        [[unroll]] for (uint lane = 0; lane < 8; lane++) {
            vec4 inputLow = subgroupBroadcast(ownLow, lane);
            vec4 inputHigh = subgroupBroadcast(ownHigh, lane);
            if (first + lane < columns / 8) {
                [[unroll]] for (uint r = 0; r < ROWS; r++) {
                    vec4 weightLow;
                    vec4 weightHigh;
                    LOAD8(weights, weightAt[r] + first + lane, weightLow, weightHigh)
                    sums[r][0] += dot(weightLow, inputLow) + dot(weightHigh, inputHigh);
                }
            }
        }
    }
#else
    for (uint k = 0; k < columns / 8; k++) {
        vec4 inputLow[TOKENS];
        vec4 inputHigh[TOKENS];
        [[unroll]] for (uint t = 0; t < TOKENS; t++) {
            inputLow[t] = INPUT(inputAt[t] + 2 * k);
            inputHigh[t] = INPUT(inputAt[t] + 2 * k + 1);
        }
        [[unroll]] for (uint r = 0; r < ROWS; r++) {
            vec4 weightLow;
            vec4 weightHigh;
            LOAD8_OF_ROW(weights, weightAt[r], k, weightLow, weightHigh)
            [[unroll]] for (uint t = 0; t < TOKENS; t++)
                sums[r][t] += dot(weightLow, inputLow[t]) + dot(weightHigh, inputHigh[t]);
        }
    }
#endif
#if !defined(TILE_8x32) && !defined(BLOCKWISE)
    uint rest = columns % 8;
    if (rest != 0) {
        // What lies behind the last column is not ours to read: it may be anything, NaN included.
        uint k = columns / 8;
        bvec4 inLow = lessThan(uvec4(0, 1, 2, 3), uvec4(rest));
        bvec4 inHigh = lessThan(uvec4(4, 5, 6, 7), uvec4(rest));
        [[unroll]] for (uint r = 0; r < ROWS; r++) {
            vec4 weightLow;
            vec4 weightHigh;
            LOAD8_OF_ROW(weights, weightAt[r], k, weightLow, weightHigh)
            [[unroll]] for (uint t = 0; t < TOKENS; t++) {
                vec4 low = mix(vec4(0), INPUT(inputAt[t] + 2 * k), inLow);
                vec4 high = rest > 4 ? mix(vec4(0), INPUT(inputAt[t] + 2 * k + 1), inHigh) : vec4(0);
                sums[r][t] += dot(weightLow, low) + dot(weightHigh, high);
            }
        }
    }
#endif

    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        uint row = firstOutput + r * gl_WorkGroupSize.x;
        if (row >= rows) break;
        row += firstRow;
        float bias = (flags & 1) != 0 ? biases[(firstBatch + batch) * biasBatchStride + row] : 0.0;
        [[unroll]] for (uint t = 0; t < TOKENS; t++) {
            uint token = firstToken + t;
            if (token >= tokens) break;
            float value = sums[r][t] + bias;
            if ((flags & 4) != 0) value = gelu(value);
            if ((flags & 2) != 0)
                value += residuals[residualOffset + (firstBatch + batch) * residualBatchStride
                    + token * residualRowStride + row];
            outputs[outputOffset + (firstBatch + batch) * outputBatchStride + token * outputRowStride + row] = value;
        }
    }
}
