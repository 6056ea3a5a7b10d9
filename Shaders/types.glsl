// How tensors of each element type are read and written.
//
// A kernel that handles several types declares a variant axis TYPE (F32, F16 or BF16) and its buffers with the element
// types below. Rows are padded to eight elements, so eight are read at once: `LOAD8(buffer, i, a, b)` gives elements
// 8i ... 8i + 7 as two vec4. With TEXELS defined, the source is a `usamplerBuffer`, of which a device that gathers lane by lane
// loads a texel for each lane at once, where it loads a storage buffer's words one by one; `LOAD8` works alike. Single values
// are read and written in pairs, which makes 16-bit storage unnecessary. What a type has no room for, `PACK` makes NaN, as it does
// infinities. Bits tell, since compilers may take it for granted that there is no NaN.
//
// Quantized types (Q8_0 and Q4_0) have rows of blocks, laid out as `BlockFormat` in Sources/Inference says: units of 16 bytes,
// scales and integers without sign, the units of eight neighbouring rows side by side. A kernel that takes them too reads with
// `LOAD8_OF_ROW(buffer, row, k, a, b)`, which gives columns 8k ... 8k + 7 of a row as two vec4; `ROW(i, stride)` is where row
// i starts, in eights or units. Unless it reads texels, it declares the same binding once more, as `uint bufferScales[]`.
// `FETCH8_OF_ROW` and `UNPACK8_OF_ROW` are the two halves of that, for a kernel that has other things to do while a load is
// under way: what is loaded is kept as it lies in memory, as a `Loaded`. A kernel that takes rows of the other types interleaved in
// the same way defines MAY_INTERLEAVE.

#ifdef TYPE_F32
#ifdef TEXELS
#define LOAD8(source, i, a, b) { \
    a = uintBitsToFloat(texelFetch(source, int(2 * (i)))); \
    b = uintBitsToFloat(texelFetch(source, int(2 * (i) + 1))); \
}
#else
#define Eight mat2x4
#define UNPACK8(eight, a, b) { a = (eight)[0]; b = (eight)[1]; }
#define LOAD8(source, i, a, b) { mat2x4 eight = source[i]; UNPACK8(eight, a, b) }
#endif
#define Pair vec2
#define UNPACK(pair) (pair)
#define PACK(values) packFloat(values)

vec2 packFloat(vec2 values) {
    uvec2 bits = floatBitsToUint(values);
    uvec2 isTooLarge = uvec2(greaterThanEqual(bits & 0x7fffffffu, uvec2(0x7f800000u)));
    return uintBitsToFloat(bits | isTooLarge * 0x7fc00000u);
}
#endif

#if defined(TYPE_F16) || defined(TYPE_BF16)
#define Eight uvec4
#ifdef TEXELS
#define WORDS(source, i) texelFetch(source, int(i))
#else
#define WORDS(source, i) source[i]
#endif
#define LOAD8(source, i, a, b) { uvec4 eight = WORDS(source, i); UNPACK8(eight, a, b) }
#endif

#ifdef TYPE_F16
#define Pair uint
#define UNPACK8(eight, a, b) { \
    a = vec4(unpackHalf2x16((eight).x), unpackHalf2x16((eight).y)); \
    b = vec4(unpackHalf2x16((eight).z), unpackHalf2x16((eight).w)); \
}
#define UNPACK(pair) unpackHalf2x16(pair)
#define PACK(values) packFloat16x2(values)

// From 65520 on, numbers would round to the first that is too large.
uint packFloat16x2(vec2 values) {
    uvec2 isTooLarge = uvec2(greaterThanEqual(floatBitsToUint(values) & 0x7fffffffu, uvec2(0x477ff000u)));
    return packHalf2x16(values) | (isTooLarge.x | isTooLarge.y << 16) * 0x7e00u;
}
#endif

#ifdef TYPE_BF16
#define Pair uint
// A bfloat16 is the upper half of a float32.
#define UNPACK8(eight, a, b) { \
    uvec4 evens = (eight) << 16; \
    uvec4 odds = (eight) & 0xffff0000u; \
    a = uintBitsToFloat(uvec4(evens.x, odds.x, evens.y, odds.y)); \
    b = uintBitsToFloat(uvec4(evens.z, odds.z, evens.w, odds.w)); \
}
#define UNPACK(pair) uintBitsToFloat(uvec2((pair) << 16, (pair) & 0xffff0000u))
#define PACK(values) packBFloat2x16(values)

// Rounds to nearest, ties to even.
uint packBFloat2x16(vec2 values) {
    uvec2 bits = floatBitsToUint(values);
    uvec2 rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    uvec2 isTooLarge = uvec2(greaterThanEqual(bits & 0x7fffffffu, uvec2(0x7f7f8000u)));
    uvec2 halves = rounded | isTooLarge * 0x7fc0u;
    return halves.x | (halves.y << 16);
}
#endif

#ifdef TYPE_Q8_0
#define QUANTIZED
#define Eight uvec2
#define EIGHT_OF_UNIT(unit, k) ((k) % 2 == 0 ? (unit).xy : (unit).zw)
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
#define EIGHT_OF_UNIT(unit, k) (unit)[(k) % 4]
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

// Where the unit with a block's k-th eight of integers stands, and the eight itself, in eights.
const uint UNIT_EIGHTS = 16 / BLOCK_WORDS;
uint unitOfEight(uint row, uint block, uint k) { return row + integerUnit(block) + 8 * (k / UNIT_EIGHTS); }
uint eightOfBlock(uint row, uint block, uint k) { return unitOfEight(row, block, k) * UNIT_EIGHTS + k % UNIT_EIGHTS; }

#ifdef TEXELS
#define EIGHT(source, row, block, k) EIGHT_OF_UNIT(texelFetch(source, int(unitOfEight(row, block, k))), k)
#define SCALE_WORD(source, word) texelFetch(source, int((word) / 4))[(word) % 4]
#else
#define EIGHT(source, row, block, k) source[eightOfBlock(row, block, k)]
#define SCALE_WORD(source, word) source##Scales[word]
#endif

struct Loaded {
    Eight integers;
    uint scales;
};
#define FETCH8_OF_ROW(source, row, k, loaded) { \
    uint word = scaleWord(row, (k) / 4); \
    loaded.scales = SCALE_WORD(source, word); \
    loaded.integers = EIGHT(source, row, (k) / 4, (k) % 4); \
}
// Products with a scale, an f16, are exact.
#define UNPACK8_OF_ROW(loaded, k, a, b) { \
    float scale = scaleOfBlock(loaded.scales, (k) / 4); \
    unpackIntegers(loaded.integers, a, b); \
    a = scale * (a - BIAS); \
    b = scale * (b - BIAS); \
}
#define LOAD8_OF_ROW(source, row, k, a, b) { \
    Loaded loaded; \
    FETCH8_OF_ROW(source, row, k, loaded) \
    UNPACK8_OF_ROW(loaded, k, a, b) \
}
#else
#ifdef MAY_INTERLEAVE
// Whether eight neighbouring rows are a tile, in which eight k of all follows eight k - 1 of all.
layout(constant_id = 0) const bool INTERLEAVED = false;
#define ROW(i, stride) (INTERLEAVED ? ((i) & ~7u) * (stride) + ((i) & 7u) : (i) * (stride))
#define EIGHT_OF_ROW(row, k) ((row) + (INTERLEAVED ? 8 * (k) : (k)))
#else
#define ROW(i, stride) ((i) * (stride))
#define EIGHT_OF_ROW(row, k) ((row) + (k))
#endif
#define Loaded Eight
#define FETCH8_OF_ROW(source, row, k, loaded) loaded = source[EIGHT_OF_ROW(row, k)];
#define UNPACK8_OF_ROW(loaded, k, a, b) UNPACK8(loaded, a, b)
#define LOAD8_OF_ROW(source, row, k, a, b) LOAD8(source, EIGHT_OF_ROW(row, k), a, b)
#endif
