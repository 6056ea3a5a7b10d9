// Fills a tensor with uniform random values in -scale ..< scale, one hash per element, the same on every device.
//
// The hash is a multiply-and-xorshift finaliser over the element's index; padding is set to zero. In a quantized tensor all
// blocks have one scale, and the integers are random.
//
// variant TYPE: F32 F16 BF16 Q8_0 Q4_0
#version 460
#include "types.glsl"

layout(local_size_x = 32) in;

#ifdef QUANTIZED
#define Word uint
#else
#define Word Pair
#endif

layout(set = 0, binding = 0) writeonly buffer Output { Word outputs[]; };

layout(push_constant) uniform Arguments {
    uint firstWord;     // of the window; a word is a pair of elements or, quantized, 32 bits
    uint words;         // in the window
    uint wordsOfRow;    // padding included
    uint rows;          // of a matrix
    uint storedRows;    // of a matrix, padding included
    uint columns;
    uint seed;
    float scale;
    uint invocations;   // per row of the dispatch
};

// In -1 ..< 1.
float uniformValue(uint index) {
    uint hash = index * 0x9e3779b9u + seed;
    hash ^= hash >> 16;
    hash *= 0x7feb352du;
    hash ^= hash >> 15;
    hash *= 0x846ca68bu;
    hash ^= hash >> 16;
    return 2.0 * (float(hash >> 8) * (1.0 / 16777216.0)) - 1.0;
}

#ifdef QUANTIZED
const uint INTEGERS = 32 / BLOCK_WORDS;  // in a word
const uint BITS = 32 / INTEGERS;

uint word(uint index) {
    uint unit = index / 4;
    uint storedRow = unit / (wordsOfRow * 2) * 8 + unit % 8;
    uint row = storedRow / storedRows * rows + storedRow % storedRows;
    if (storedRow % storedRows >= rows) return 0;
    unit = unit % (wordsOfRow * 2) / 8;
    uint firstBlock = unit / (8 * BLOCK_UNITS + 1) * 8;
    unit %= 8 * BLOCK_UNITS + 1;
    uint blocks = (columns + 31) / 32;
    if (unit == 0) {
        uint block = firstBlock + index % 4 * 2;
        float blockScale = scale / float(BIAS);
        return packHalf2x16(vec2(block < blocks ? blockScale : 0.0, block + 1 < blocks ? blockScale : 0.0));
    }
    uint firstColumn = (firstBlock * BLOCK_WORDS + (unit - 1) * 4 + index % 4) * INTEGERS;
    uint integers = 0;
    for (uint i = 0; i < INTEGERS; i++) {
        uint column = firstColumn + i;
        int value = column < columns ? int(floor(uniformValue(row * columns + column) * float(BIAS))) : 0;
        integers |= uint(value + BIAS) << (BITS * i);
    }
    return integers;
}
#else
Word word(uint index) {
    uint row = index / wordsOfRow;
    uint column = index % wordsOfRow * 2;
    vec2 values = vec2(0);
    if (column < columns) values.x = scale * uniformValue(row * columns + column);
    if (column + 1 < columns) values.y = scale * uniformValue(row * columns + column + 1);
    return PACK(values);
}
#endif

void main() {
    uint index = gl_WorkGroupID.y * invocations + gl_GlobalInvocationID.x;
    if (gl_GlobalInvocationID.x >= invocations || index >= words) return;
    outputs[index] = word(firstWord + index);
}
