// A matrix product with a weight as the file holds it: output = activation(input * weight^T + bias) + residual.
//
// A tile of rows and tokens is computed together, so that every weight that is loaded is used once for each token of it, and
// every activation once for each row. Each tile has a file of its own:
//
// - S1, S8: one token, as in decode, or up to eight; loads decide here (`linear_subgroup.glsl`). For one token and quantized weights
//   there is `linear_integers.comp`, too.
// - T64x64: many tokens, by a workgroup through shared memory (`linear_tile.glsl`).
// - KHR64x64, KHR128x64, NV64x64, NV128x64: many tokens on the device's matrix units, by the extension that it has for them
//   (`linear_matrix_units.glsl`).
// - L8x1, L8x8, L8x16: the tiles of devices that load lane by lane (`linear_lanes.glsl`).
//
// variant TYPE: F32 F16 BF16 Q8_0 Q4_0
// variant TILE: S1 S8 T64x64 KHR64x64 KHR128x64 NV64x64 NV128x64 L8x1 L8x8 L8x16
// requires TILE=KHR64x64: GL_KHR_cooperative_matrix
// requires TILE=KHR128x64: GL_KHR_cooperative_matrix
// requires TILE=NV64x64: GL_NV_cooperative_matrix
// requires TILE=NV128x64: GL_NV_cooperative_matrix
#version 460
#extension GL_EXT_control_flow_attributes : require
#if defined(TILE_L8x16) || defined(TILE_L8x8) || defined(TILE_L8x1)
#define TEXELS
#define MAY_INTERLEAVE
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#elif defined(TILE_S1) || defined(TILE_S8)
#define BY_SUBGROUP
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#elif !defined(TILE_T64x64)
#define MATRIX_UNITS
#if defined(TILE_KHR64x64) || defined(TILE_KHR128x64)
#define MATRIX_UNITS_KHR
#endif
#include "matrix_units.glsl"
#endif
#include "types.glsl"

#ifdef TEXELS
layout(set = 0, binding = 3) uniform usamplerBuffer inputs;
layout(set = 0, binding = 4) uniform usamplerBuffer weights;
#define INPUT(i) uintBitsToFloat(texelFetch(inputs, int(i)))
#else
layout(set = 0, binding = 3) readonly buffer Input { vec4 inputs[]; };
layout(set = 0, binding = 4) readonly buffer Weight { Eight weights[]; };
#ifdef QUANTIZED
layout(set = 0, binding = 4) readonly buffer Scales { uint weightsScales[]; };
#endif
#define INPUT(i) inputs[i]
#endif
#include "linear_arguments.glsl"
#include "linear_operands.glsl"

// A token's activations 8k ... 8k + 7.
void loadInput(uint at, uint k, out vec4 low, out vec4 high) {
    low = withinColumns(INPUT(at + 2 * k), 2 * k);
    high = withinColumns(INPUT(at + 2 * k + 1), 2 * k + 1);
}

// The matrix of the window that a workgroup works on, and the eights of columns whose products it adds up: a multiple of `step_`
// of them but for the last ones.
void ownSplit(uint step_, out uint batch, out uint first, out uint end) {
    batch = gl_WorkGroupID.z / splits;
    uint eights = (columns + 7) / 8;
    uint length_ = (eights + splits * step_ - 1) / (splits * step_) * step_;
    first = min(gl_WorkGroupID.z % splits * length_, eights);
    end = min(first + length_, eights);
}

#if defined(TEXELS)
#include "linear_lanes.glsl"
#elif defined(BY_SUBGROUP)
#include "linear_subgroup.glsl"
#elif defined(MATRIX_UNITS)
#include "linear_matrix_units.glsl"
#else
#include "linear_tile.glsl"
#endif
