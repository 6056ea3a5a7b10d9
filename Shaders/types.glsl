// How tensors of each element type are read and written.
//
// A kernel that handles several types declares a variant axis TYPE (F32, F16 or BF16) and its buffers with the element
// types below. Rows are padded to eight elements, so eight are read at once: `LOAD8(buffer, i, a, b)` gives elements
// 8i ... 8i + 7 as two vec4. With WIDE defined, buffers hold 64-bit words, of which a device that gathers lane by lane needs
// half as many loads; `LOAD8` works alike. Single values are read and written in pairs, which makes 16-bit storage unnecessary.
//
// Quantized types (Q8_0 and Q4_0) have rows of blocks, laid out as `BlockFormat` in Sources/Inference says: units of 16 bytes,
// scales and integers without sign, the units of eight neighbouring rows side by side. A kernel that takes them too reads with
// `LOAD8_OF_ROW(buffer, row, k, a, b)`, which gives columns 8k ... 8k + 7 of a row as two vec4; `ROW(i, stride)` is where row
// i starts, in eights or units. It declares the same binding once more, as `uint bufferScales[]`.

#ifdef WIDE
#define HALVES(words) uvec4(unpackUint2x32((words).x), unpackUint2x32((words).y))
#endif

#ifdef TYPE_F32
#ifdef WIDE
#define Eight u64vec4
#define LOAD8(source, i, a, b) { \
    u64vec4 eight = source[i]; \
    a = uintBitsToFloat(HALVES(eight.xy)); \
    b = uintBitsToFloat(HALVES(eight.zw)); \
}
#else
#define Eight mat2x4
#define LOAD8(source, i, a, b) { mat2x4 eight = source[i]; a = eight[0]; b = eight[1]; }
#endif
#define Pair vec2
#define UNPACK(pair) (pair)
#define PACK(values) (values)
#endif

#if defined(TYPE_F16) || defined(TYPE_BF16)
#ifdef WIDE
#define Eight u64vec2
#define WORDS(eight) HALVES(eight)
#else
#define Eight uvec4
#define WORDS(eight) (eight)
#endif
#endif

#ifdef TYPE_F16
#define Pair uint
#define LOAD8(source, i, a, b) { \
    uvec4 eight = WORDS(source[i]); \
    a = vec4(unpackHalf2x16(eight.x), unpackHalf2x16(eight.y)); \
    b = vec4(unpackHalf2x16(eight.z), unpackHalf2x16(eight.w)); \
}
#define UNPACK(pair) unpackHalf2x16(pair)
#define PACK(values) packHalf2x16(values)
#endif

#ifdef TYPE_BF16
#define Pair uint
// A bfloat16 is the upper half of a float32.
#define LOAD8(source, i, a, b) { \
    uvec4 eight = WORDS(source[i]); \
    uvec4 evens = eight << 16; \
    uvec4 odds = eight & 0xffff0000u; \
    a = uintBitsToFloat(uvec4(evens.x, odds.x, evens.y, odds.y)); \
    b = uintBitsToFloat(uvec4(evens.z, odds.z, evens.w, odds.w)); \
}
#define UNPACK(pair) uintBitsToFloat(uvec2((pair) << 16, (pair) & 0xffff0000u))
#define PACK(values) packBFloat2x16(values)

// Rounds to nearest, ties to even; NaN stays NaN.
uint packBFloat2x16(vec2 values) {
    uvec2 bits = floatBitsToUint(values);
    uvec2 rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    uvec2 quietNaN = (bits >> 16) | 0x40u;
    uvec2 halves = mix(rounded, quietNaN, isnan(values));
    return halves.x | (halves.y << 16);
}
#endif

#ifdef TYPE_Q8_0
#define QUANTIZED
#ifdef WIDE
#define Eight uint64_t
#define WORDS(eight) unpackUint2x32(eight)
#else
#define Eight uvec2
#define WORDS(eight) (eight)
#endif
const uint BLOCK_WORDS = 8;  // of 32 bits, as the integers of a block take
const int BIAS = 128;        // what an integer is stored with

// Eight stored integers.
void unpackIntegers(uvec2 words, out vec4 a, out vec4 b) {
    a = vec4(ivec4(uvec4(words.x, words.x >> 8, words.x >> 16, words.x >> 24) & 0xffu));
    b = vec4(ivec4(uvec4(words.y, words.y >> 8, words.y >> 16, words.y >> 24) & 0xffu));
}
#endif

#ifdef TYPE_Q4_0
#define QUANTIZED
#define Eight uint
#define WORDS(eight) (eight)
const uint BLOCK_WORDS = 4;
const int BIAS = 8;

void unpackIntegers(uint word, out vec4 a, out vec4 b) {
    a = vec4(ivec4(uvec4(word, word >> 4, word >> 8, word >> 12) & 0xfu));
    b = vec4(ivec4(uvec4(word >> 16, word >> 20, word >> 24, word >> 28) & 0xfu));
}
#endif

#ifdef QUANTIZED
const uint BLOCK_UNITS = BLOCK_WORDS / 4;

#define ROW(i, stride) (((i) & ~7u) * (stride) + ((i) & 7u))

// The unit with a block's scale and those of its neighbours, and the first one of its integers, from the row's first one on.
uint scaleUnit(uint block) { return 8 * (block / 8 * (8 * BLOCK_UNITS + 1)); }
uint integerUnit(uint block) { return 8 * (block / 8 * (8 * BLOCK_UNITS + 1) + 1 + block % 8 * BLOCK_UNITS); }

// The 32-bit word with a block's scale, and the scale in it.
uint scaleWord(uint row, uint block) { return 4 * (row + scaleUnit(block)) + block % 8 / 2; }
float scaleOfBlock(uint word, uint block) { return unpackHalf2x16(word >> (16 * (block & 1))).x; }

// Where a block's k-th eight of integers stands, in eights.
uint eightOfBlock(uint row, uint block, uint k) {
    const uint EIGHTS = 16 / BLOCK_WORDS;  // of a unit
    return (row + integerUnit(block) + 8 * (k / EIGHTS)) * EIGHTS + k % EIGHTS;
}

// Products with a scale, an f16, are exact.
#define LOAD8_OF_ROW(source, row, k, a, b) { \
    uint block = (k) / 4; \
    float scale = scaleOfBlock(source##Scales[scaleWord(row, block)], block); \
    unpackIntegers(WORDS(source[eightOfBlock(row, block, (k) % 4)]), a, b); \
    a = scale * (a - BIAS); \
    b = scale * (b - BIAS); \
}
#else
#define ROW(i, stride) ((i) * (stride))
#define LOAD8_OF_ROW(source, row, k, a, b) LOAD8(source, (row) + (k), a, b)
#endif
