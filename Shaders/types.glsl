// How tensors of each element type are read and written.
//
// A kernel that handles several types declares a variant axis TYPE (F32, F16 or BF16) and its buffers with the element
// types below. Rows are padded to eight elements, so eight are read at once: `LOAD8(buffer, i, a, b)` gives elements
// 8i ... 8i + 7 as two vec4. With TEXELS defined, the source is a `usamplerBuffer`, of which a device that gathers lane by lane
// loads a texel for each lane at once, where it loads a storage buffer's words one by one; `LOAD8` works alike. Single values
// are read and written in pairs, which makes 16-bit storage unnecessary.

#ifdef TYPE_F32
#ifdef TEXELS
#define LOAD8(source, i, a, b) { \
    a = uintBitsToFloat(texelFetch(source, int(2 * (i)))); \
    b = uintBitsToFloat(texelFetch(source, int(2 * (i) + 1))); \
}
#else
#define Eight mat2x4
#define LOAD8(source, i, a, b) { mat2x4 eight = source[i]; a = eight[0]; b = eight[1]; }
#endif
#define Pair vec2
#define UNPACK(pair) (pair)
#define PACK(values) (values)
#endif

#ifndef TYPE_F32
#define Eight uvec4
#ifdef TEXELS
#define WORDS(source, i) texelFetch(source, int(i))
#else
#define WORDS(source, i) source[i]
#endif
#endif

#ifdef TYPE_F16
#define Pair uint
#define LOAD8(source, i, a, b) { \
    uvec4 eight = WORDS(source, i); \
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
    uvec4 eight = WORDS(source, i); \
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
