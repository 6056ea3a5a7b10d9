// Matrices that a subgroup multiplies together, float16 with sums in float32, by either of two extensions: with MATRIX_UNITS_KHR
// defined GL_KHR_cooperative_matrix, else GL_NV_cooperative_matrix. Included before any code, as its extensions must be. They load
// from and store to `tile`, shared memory of the kernel that includes this, by rows or columns that are `pitch` apart.

#pragma use_vulkan_memory_model
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#ifdef MATRIX_UNITS_KHR
#extension GL_KHR_cooperative_matrix : require
#else
#extension GL_NV_cooperative_matrix : require
#endif

layout(constant_id = 0) const uint LANES = 32;  // of a subgroup
// A product is of M rows by N columns, K terms each; the device has a list of what it multiplies.
layout(constant_id = 1) const uint SIDE_M = 16;
layout(constant_id = 2) const uint SIDE_N = 16;
layout(constant_id = 3) const uint SIDE_K = 16;

#ifdef MATRIX_UNITS_KHR
#define FirstMatrix coopmat<float16_t, gl_ScopeSubgroup, SIDE_M, SIDE_K, gl_MatrixUseA>
#define SecondMatrix coopmat<float16_t, gl_ScopeSubgroup, SIDE_K, SIDE_N, gl_MatrixUseB>
#define SumMatrix coopmat<float, gl_ScopeSubgroup, SIDE_M, SIDE_N, gl_MatrixUseAccumulator>
#define MULTIPLY_ADD coopMatMulAdd
#define LOAD_ROWS(matrix, at, pitch) coopMatLoad(matrix, tile, at, pitch, gl_CooperativeMatrixLayoutRowMajor);
#define LOAD_COLUMNS(matrix, at, pitch) coopMatLoad(matrix, tile, at, pitch, gl_CooperativeMatrixLayoutColumnMajor);
#define STORE_ROWS(matrix, at, pitch) coopMatStore(matrix, tile, at, pitch, gl_CooperativeMatrixLayoutRowMajor);
#else
#define FirstMatrix fcoopmatNV<16, gl_ScopeSubgroup, SIDE_M, SIDE_K>
#define SecondMatrix fcoopmatNV<16, gl_ScopeSubgroup, SIDE_K, SIDE_N>
#define SumMatrix fcoopmatNV<32, gl_ScopeSubgroup, SIDE_M, SIDE_N>
#define MULTIPLY_ADD coopMatMulAddNV
#define LOAD_ROWS(matrix, at, pitch) coopMatLoadNV(matrix, tile, at, pitch, false);
#define LOAD_COLUMNS(matrix, at, pitch) coopMatLoadNV(matrix, tile, at, pitch, true);
#define STORE_ROWS(matrix, at, pitch) coopMatStoreNV(matrix, tile, at, pitch, false);
#endif

// A float32 goes in as the sum of two float16, what it is rounded to and what that leaves out. float16 has less precision below
// 2^-14. So rests are kept times 2^11, as large as what they are of; and activations times 2^-4, which is exact, since there their
// rests make up for it, and has room for large ones.
const float REST_SCALE = 2048.0;
const float INPUT_SCALE = 0.0625;
const float LARGEST = 65504.0;

uvec2 packFour(vec4 values) { return uvec2(packHalf2x16(values.xy), packHalf2x16(values.zw)); }

// What rounding to float16 leaves out, scaled.
vec4 restOf(vec4 values, uvec2 rounded) {
    return REST_SCALE * (values - vec4(unpackHalf2x16(rounded.x), unpackHalf2x16(rounded.y)));
}
