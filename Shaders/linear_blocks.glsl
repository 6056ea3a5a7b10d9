// A product of quantized weight rows with one token: a block's integers are multiplied as they are, and their sum with the
// scale, so that a weight costs a mask, a conversion, a multiplication and an addition.
//
// An integer is not shifted down to be converted: its bits are masked where they stand, which gives it times a power of two, and
// the activation it meets was multiplied with the inverse of that, which is exact. Nor is its bias taken off: the sum of the
// block's activations times the bias is, once.

// The masked integers of columns 4i ... 4i + 3 of a block, and what the activations there are multiplied with.
#ifdef TYPE_Q8_0
ivec4 maskedIntegers(uint words[BLOCK_WORDS], uint i) {
    uint word = words[i];
    return ivec4(word & 0xffu, word & 0xff00u, word & 0xff0000u, word >> 24);
}
vec4 inverse(uint i) { return vec4(1, 1.0 / 256, 1.0 / 65536, 1); }
#else
ivec4 maskedIntegers(uint words[BLOCK_WORDS], uint i) {
    uint word = words[i / 2];
    if (i % 2 == 0) return ivec4(word & 0xfu, word & 0xf0u, word & 0xf00u, word & 0xf000u);
    uint upper = word >> 24;
    return ivec4(word & 0xf0000u, word & 0xf00000u, upper & 0xfu, upper & 0xf0u);
}
vec4 inverse(uint i) {
    return i % 2 == 0
        ? vec4(1, 1.0 / 16, 1.0 / 256, 1.0 / 4096) : vec4(1.0 / 65536, 1.0 / 1048576, 1, 1.0 / 16);
}
#endif

void sumBlocks(uint weightAt[ROWS], uint inputAt, out float sums[ROWS]) {
    uint blockCount = (columns + 31) / 32;
    [[unroll]] for (uint r = 0; r < ROWS; r++) sums[r] = 0.0;
    for (uint first = 0; first < blockCount; first += 4) {
        // The scales of four blocks are one load.
        uvec2 scales[ROWS];
        [[unroll]] for (uint r = 0; r < ROWS; r++) {
            uvec4 unit = texelFetch(weights, int(weightAt[r] + scaleUnit(first)));
            scales[r] = first % 8 == 0 ? unit.xy : unit.zw;
        }
        for (uint block = first; block < min(first + 4, blockCount); block++) {
            vec4 activations[8];
            // Lane l holds the activations 4l ... 4l + 3 of the block.
            vec4 own = loadFour(inputAt, 8 * block + gl_SubgroupInvocationID);
            float ownTotal = own.x + own.y + own.z + own.w;
            own *= inverse(gl_SubgroupInvocationID);
            float total = 0.0;
            [[unroll]] for (uint i = 0; i < LANES; i++) {
                activations[i] = subgroupShuffle(own, i);
                total += subgroupShuffle(ownTotal, i);
            }
            [[unroll]] for (uint r = 0; r < ROWS; r++) {
                uint words[BLOCK_WORDS];
                [[unroll]] for (uint u = 0; u < BLOCK_UNITS; u++) {
                    uvec4 quarter = texelFetch(weights, int(weightAt[r] + integerUnit(block) + 8 * u));
                    [[unroll]] for (uint w = 0; w < 4; w++) words[4 * u + w] = quarter[w];
                }
                vec4 parts = vec4(-BIAS * total, 0, 0, 0);
                [[unroll]] for (uint i = 0; i < 8; i++) parts = fma(vec4(maskedIntegers(words, i)), activations[i], parts);
                sums[r] += unpackHalf2x16(scales[r].x).x * dot(parts, vec4(1));
                scales[r] = uvec2(scales[r].x >> 16 | scales[r].y << 16, scales[r].y >> 16);
            }
        }
    }
}
