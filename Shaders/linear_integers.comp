// `linear.comp` for quantized weights and one token, on devices that multiply four pairs of 8-bit integers in one operation.
//
// An activation becomes an integer of 23 bits, times a scale that its block has in common: as close as float32 resolves the block's
// largest one. The integer is three digits of 8 bits, so three operations multiply four weights with four activations, and all
// sums of a block are exact. Unpacking and converting weights to float32 takes several operations for each.
//
// A workgroup has one or more tiles of eight rows, as they are stored side by side, and makes digits of the token once for all. An
// invocation has a row of each tile, and every so many units of it.
//
// variant TYPE: Q8_0 Q4_0
// variant TILES: 1 2 4
#version 460
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_spirv_intrinsics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#include "types.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 2) const uint BLOCKS = 1;  // of a row

layout(set = 0, binding = 3) readonly buffer Input { vec4 inputs[]; };
layout(set = 0, binding = 4) readonly buffer Units { uvec4 weightUnits[]; };
layout(set = 0, binding = 4) readonly buffer Scales { uint weightsScales[]; };
#define INPUT(i) inputs[i]
#include "linear_arguments.glsl"
#include "linear_operands.glsl"
#include "linear_norm.glsl"

// OpSDotKHR, of bytes with sign in words (PackedVectorFormat4x8Bit). GLSL's own name for it is too young for some compilers.
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6018, 6019], id = 4450)
int dotOfBytes(uint a, uint b, spirv_literal int format);

const uint TILE_ROWS = 8;
const uint ROWS = TILE_ROWS * TILES;
const uint STEPS = 2;  // units of a row that are loaded side by side
const uint MOST_THREADS = 128;
const uint MOST_SUBGROUPS = 32;

// What an activation's integer is at most: with 0x8080 added it is below 2^22.
const float LARGEST = 4161280.0;
// What a float32 below 2^22 is added to for its integer to stand in the lower bits, each digit but the highest without sign.
const float ROUNDING = 12582912.0 + 32896.0;
const uint ROUNDING_BITS = 0x4b408080u;
// A block of smaller ones is resolved as if this were its largest.
const float SMALLEST = 7.888609e-31;

// Of each block three digits, lowest first, of eights of activations: two words, for the bytes of `bytesOfEight`.
shared uvec2 digits[BLOCKS * 12];
shared float blockScales[BLOCKS];
shared int blockTotals[BLOCKS];  // sums of the integers
shared float partialSquares[MOST_SUBGROUPS];
shared float partialSums[MOST_THREADS * TILES];

#ifdef TYPE_Q8_0
const int BYTE_BIAS = 0;  // what the bytes have over the integers

// A unit's e-th eight of integers, as the bytes of two words.
uvec2 bytesOfEight(uvec4 unit, uint e) { return EIGHT_OF_UNIT(unit, e) ^ 0x80808080u; }
void splitEight(uvec4 low, uvec4 high, out uvec4 first, out uvec4 second) {
    first = low;
    second = high;
}
#else
const int BYTE_BIAS = BIAS;

uvec2 bytesOfEight(uvec4 unit, uint e) {
    uint eight = EIGHT_OF_UNIT(unit, e);
    return uvec2(eight, eight >> 4) & 0x0f0f0f0fu;
}
void splitEight(uvec4 low, uvec4 high, out uvec4 first, out uvec4 second) {
    first = uvec4(low.xz, high.xz);
    second = uvec4(low.yw, high.yw);
}
#endif

uint packBytes(uvec4 values, uint shift) {
    uvec4 bytes = values >> shift & 0xffu;
    return bytes.x | bytes.y << 8 | bytes.z << 16 | bytes.w << 24;
}

// The digits in the bits of four rounded activations, lowest first.
uvec3 digitsOf(uvec4 bits) {
    uint high = ((packBytes(bits, 16) | 0x80808080u) - 0x40404040u) ^ 0x80808080u;
    return uvec3(packBytes(bits, 0) ^ 0x80808080u, packBytes(bits, 8) ^ 0x80808080u, high);
}

uint magnitudeOf(vec4 low, vec4 high) {
    uvec4 bits = max(floatBitsToUint(low) & 0x7fffffffu, floatBitsToUint(high) & 0x7fffffffu);
    return max(max(bits.x, bits.y), max(bits.z, bits.w));
}

// Four invocations make the digits of a block, each of an eight.
void makeDigits(uint batch) {
    uint inputAt = inputOfToken(batch, 0);
    float squares = 0.0;
    for (uint first = 0; first < 4 * BLOCKS; first += gl_WorkGroupSize.x) {
        uint k = first + gl_LocalInvocationID.x;
        vec4 low;
        vec4 high;
        loadActivations(inputAt, k, squares, low, high);
        // As integers these have the numbers' order, infinity and NaN above all.
        uint magnitude = magnitudeOf(low, high);
        magnitude = max(magnitude, subgroupShuffleXor(magnitude, 1));
        magnitude = max(magnitude, subgroupShuffleXor(magnitude, 2));
        float largest = max(uintBitsToFloat(magnitude), SMALLEST);
        float inverse = LARGEST / largest;
        uvec4 lowBits = floatBitsToUint(fma(low, vec4(inverse), vec4(ROUNDING)));
        uvec4 highBits = floatBitsToUint(fma(high, vec4(inverse), vec4(ROUNDING)));
        uvec4 sums = lowBits + highBits;
        int total = int(sums.x + sums.y + sums.z + sums.w - 8 * ROUNDING_BITS);
        total += subgroupShuffleXor(total, 1);
        total += subgroupShuffleXor(total, 2);
        uint block = k / 4;
        if (block < BLOCKS) {
            uvec4 firstBits;
            uvec4 secondBits;
            splitEight(lowBits, highBits, firstBits, secondBits);
            uvec3 firstDigits = digitsOf(firstBits);
            uvec3 secondDigits = digitsOf(secondBits);
            [[unroll]] for (uint d = 0; d < 3; d++)
                digits[12 * block + 4 * d + k % 4] = uvec2(firstDigits[d], secondDigits[d]);
            if (k % 4 == 0) {
                // Infinity and NaN make all sums NaN, so that nothing hides them.
                blockScales[block] = magnitude < 0x7f800000u ? largest * (1.0 / LARGEST) : uintBitsToFloat(0x7fc00000u);
                blockTotals[block] = total;
            }
        }
    }
    squares = subgroupAdd(squares);
    if (subgroupElect()) partialSquares[gl_SubgroupID] = squares;
    barrier();
}

// Unit u of a row of each tile, and the word with its block's scale; past the last one, the last one.
void fetchUnit(uint weightAt[TILES], uint u, out uvec4 units[TILES], out uint scales[TILES]) {
    u = min(u, BLOCKS * BLOCK_UNITS - 1);
    uint block = u / BLOCK_UNITS;
    [[unroll]] for (uint t = 0; t < TILES; t++) {
        units[t] = weightUnits[weightAt[t] + integerUnit(block) + 8 * (u % BLOCK_UNITS)];
        scales[t] = weightsScales[scaleWord(weightAt[t], block)];
    }
}

void addUnit(uint u, uvec4 units[TILES], uint scales[TILES], inout float sums[TILES]) {
    uint block = u / BLOCK_UNITS;
    ivec3 parts[TILES];
    [[unroll]] for (uint t = 0; t < TILES; t++) parts[t] = ivec3(0);
    [[unroll]] for (uint e = 0; e < UNIT_EIGHTS; e++) {
        uint place = 12 * block + u % BLOCK_UNITS * UNIT_EIGHTS + e;
        uvec2 bytes[TILES];
        [[unroll]] for (uint t = 0; t < TILES; t++) bytes[t] = bytesOfEight(units[t], e);
        [[unroll]] for (uint d = 0; d < 3; d++) {
            uvec2 digit = digits[place + 4 * d];
            [[unroll]] for (uint t = 0; t < TILES; t++)
                parts[t][d] += dotOfBytes(bytes[t].x, digit.x, 0) + dotOfBytes(bytes[t].y, digit.y, 0);
        }
    }
    [[unroll]] for (uint t = 0; t < TILES; t++) {
        float part = 256.0 * float(256 * parts[t].z + parts[t].y) + float(parts[t].x - BYTE_BIAS * blockTotals[block]);
        // Not the scales first: their product may be below what float32 has room for.
        sums[t] += scaleOfBlock(scales[t], block) * (blockScales[block] * part);
    }
}

// The sum of a row of the workgroup's tiles.
float sumOfRow(uint i) {
    float sum = 0.0;
    for (uint x = i % TILE_ROWS; x < gl_WorkGroupSize.x; x += TILE_ROWS) sum += partialSums[i / TILE_ROWS * MOST_THREADS + x];
    return sum;
}

void main() {
    uint batch = gl_WorkGroupID.z;
    uint own = gl_LocalInvocationID.x;
    uint step_ = gl_WorkGroupSize.x / TILE_ROWS;
    // A head has more rows than some devices have workgroups.
    for (uint group = gl_WorkGroupID.x; group * ROWS < rows; group += gl_NumWorkGroups.x) {
        uint weightAt[TILES];
        [[unroll]] for (uint t = 0; t < TILES; t++)
            weightAt[t] = weightOfRow(batch, rowOfTile(group, t * TILE_ROWS + own % TILE_ROWS, ROWS));
        uvec4 units[STEPS][TILES];
        uint scales[STEPS][TILES];
        [[unroll]] for (uint s = 0; s < STEPS; s++) fetchUnit(weightAt, own / TILE_ROWS + s * step_, units[s], scales[s]);
        // Weights are on their way meanwhile.
        if (group == gl_WorkGroupID.x) makeDigits(batch);
        float sums[TILES];
        [[unroll]] for (uint t = 0; t < TILES; t++) sums[t] = 0.0;
        for (uint first = own / TILE_ROWS; first < BLOCKS * BLOCK_UNITS; first += STEPS * step_) {
            [[unroll]] for (uint s = 0; s < STEPS; s++) {
                uint u = first + s * step_;
                uvec4 present[TILES] = units[s];
                uint presentScales[TILES] = scales[s];
                fetchUnit(weightAt, u + STEPS * step_, units[s], scales[s]);
                if (u < BLOCKS * BLOCK_UNITS) addUnit(u, present, presentScales, sums);
            }
        }
        // What is there of the rows before has been read.
        barrier();
        [[unroll]] for (uint t = 0; t < TILES; t++) partialSums[t * MOST_THREADS + own] = sums[t];
        barrier();
        if (own < ROWS) {
            float squares = 0.0;
            for (uint s = 0; NORMALISES && s < gl_NumSubgroups; s++) squares += partialSquares[s];
            float factor = factorOfNorm(squares);
            finish(factor * sumOfRow(own), factor * sumOfRow((own + ROWS / 2) % ROWS), batch, group, own, ROWS, 0);
        }
    }
}
