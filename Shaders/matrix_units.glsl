// Matrices that a subgroup multiplies together, float16 with sums in float32, by either of two extensions: with MATRIX_UNITS_KHR
// defined GL_KHR_cooperative_matrix, else GL_NV_cooperative_matrix. Included before any code, as its extensions must be.

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
#else
#define FirstMatrix fcoopmatNV<16, gl_ScopeSubgroup, SIDE_M, SIDE_K>
#define SecondMatrix fcoopmatNV<16, gl_ScopeSubgroup, SIDE_K, SIDE_N>
#define SumMatrix fcoopmatNV<32, gl_ScopeSubgroup, SIDE_M, SIDE_N>
#define MULTIPLY_ADD coopMatMulAddNV
#endif
