// What a device does at most, to measure other kernels by: copies and reads of memory, multiply-adds in registers, and those of
// its matrix units.
//
// READ_TEXELS reads as kernels do on devices that gather lane by lane, READ_FOUR has four loads under way at once. Of eight chains of
// multiply-adds none waits for another, which hides the latency of each; FUSED_MULTIPLY_ADD asks for the instruction that does both
// where drivers leave the choice to the shader.
//
// variant MEASURES: COPY READ READ_FOUR READ_TEXELS MULTIPLY_ADD FUSED_MULTIPLY_ADD MATRICES_KHR MATRICES_NV
// requires MEASURES=MATRICES_KHR: GL_KHR_cooperative_matrix
// requires MEASURES=MATRICES_NV: GL_NV_cooperative_matrix
#version 460
#extension GL_EXT_control_flow_attributes : require
#if defined(MEASURES_MATRICES_KHR) || defined(MEASURES_MATRICES_NV)
#ifdef MEASURES_MATRICES_KHR
#define MATRIX_UNITS_KHR
#endif
#include "matrix_units.glsl"
#endif

layout(local_size_x = 64) in;

#ifdef MEASURES_READ_TEXELS
layout(set = 0, binding = 0) uniform usamplerBuffer source;
#define SOURCE(i) texelFetch(source, int(i))
#else
layout(set = 0, binding = 0) readonly buffer Source { uvec4 source[]; };
#define SOURCE(i) source[i]
#endif
layout(set = 0, binding = 1) writeonly buffer Target { uvec4 target[]; };

layout(push_constant) uniform Arguments {
    uint count;         // of uvec4; of multiply-adds, of loops
    float factor;
    float addend;
};

void main() {
    uint index = gl_GlobalInvocationID.x;
    uint all = gl_NumWorkGroups.x * gl_WorkGroupSize.x;

#ifdef MEASURES_COPY
    for (uint i = index; i < count; i += all) target[i] = SOURCE(i);
#endif

#if defined(MEASURES_READ) || defined(MEASURES_READ_TEXELS)
    uvec4 sum = uvec4(0);
    for (uint i = index; i < count; i += all) sum += SOURCE(i);
    // The source is zeros, so nothing is written; but no compiler knows.
    if (sum != uvec4(0)) target[0] = sum;
#endif

#ifdef MEASURES_READ_FOUR
    uvec4 sums[4];
    [[unroll]] for (uint k = 0; k < 4; k++) sums[k] = uvec4(0);
    for (uint i = index; i < count; i += 4 * all) {
        uvec4 loaded[4];
        [[unroll]] for (uint k = 0; k < 4; k++) loaded[k] = SOURCE(min(i + k * all, count - 1));
        [[unroll]] for (uint k = 0; k < 4; k++) sums[k] += loaded[k];
    }
    if (sums[0] + sums[1] + sums[2] + sums[3] != uvec4(0)) target[0] = sums[0];
#endif

#if defined(MEASURES_MULTIPLY_ADD) || defined(MEASURES_FUSED_MULTIPLY_ADD)
#ifdef MEASURES_FUSED_MULTIPLY_ADD
#define NEXT(value) fma(value, factor, addend)
#else
#define NEXT(value) ((value) * factor + addend)
#endif
    float chains[8];
    [[unroll]] for (uint chain = 0; chain < 8; chain++) chains[chain] = float(index + chain);
    for (uint i = 0; i < count; i++) {
        [[unroll]] for (uint step = 0; step < 16; step++) {
            [[unroll]] for (uint chain = 0; chain < 8; chain++) chains[chain] = NEXT(chains[chain]);
        }
    }
    float sum = 0;
    [[unroll]] for (uint chain = 0; chain < 8; chain++) sum += chains[chain];
    // With a factor below 1 and an addend above 0 no chain ends below 0.
    if (sum < 0) target[0] = uvec4(floatBitsToUint(sum));
#endif
#if defined(MEASURES_MATRICES_KHR) || defined(MEASURES_MATRICES_NV)
    FirstMatrix first = FirstMatrix(factor);
    SecondMatrix second = SecondMatrix(addend);
    SumMatrix chains[8];
    [[unroll]] for (uint chain = 0; chain < 8; chain++) chains[chain] = SumMatrix(float(chain));
    for (uint i = 0; i < count; i++) {
        [[unroll]] for (uint chain = 0; chain < 8; chain++) chains[chain] = MULTIPLY_ADD(first, second, chains[chain]);
    }
    float sum = 0;
    [[unroll]] for (uint chain = 0; chain < 8; chain++) sum += chains[chain][0];
    if (sum < 0) target[0] = uvec4(floatBitsToUint(sum));
#endif
}
