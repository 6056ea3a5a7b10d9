// A span of a row of a q8_0 cache: reads and writes of `cache`, 32-bit words.

// Columns of a span.
uint columnsOf(uint index) {
    return min(headDim - index % spansOfHead * SPAN, SPAN);
}

// The first of the four words of a span's integers 16i ... 16i + 15.
uint wordsAt(uint row, uint index, uint i) {
    return 4 * (row + integerUnit(index % spansOfHead * 2 + i / 2) + 8 * (i % 2));
}

void loadSpan(uint row, uint index, out float values[SPAN]) {
    uint firstBlock = index % spansOfHead * 2;
    uint scales = cache[scaleWord(row, firstBlock)];
    for (uint i = 0; i < columnsOf(index) / 16; i++) {
        uint at = wordsAt(row, index, i);
        float scale = scaleOfBlock(scales, firstBlock + i / 2);
        for (uint w = 0; w < 4; w += 2) {
            vec4 low;
            vec4 high;
            unpackIntegers(uvec2(cache[at + w], cache[at + w + 1]), low, high);
            low = scale * (low - BIAS);
            high = scale * (high - BIAS);
            for (uint c = 0; c < 4; c++) {
                values[16 * i + 4 * w + c] = low[c];
                values[16 * i + 4 * w + 4 + c] = high[c];
            }
        }
    }
}

// The scale of the block of values from `first` on, as f16: see `BlockFormat` in Sources/Inference.
uint scaleOf(float values[SPAN], uint first) {
    // Of numbers without sign, the bits have the numbers' order, NaN above all.
    uint magnitude = 0;
    for (uint i = first; i < first + 32; i++) magnitude = max(magnitude, floatBitsToUint(values[i]) & 0x7fffffffu);
    if (magnitude >= 0x7f800000u) return 0x7e00u;
    float scale = uintBitsToFloat(magnitude) * (1.0 / 127.0);
    // From there on f16 has no room.
    return scale < 65520.0 ? packHalf2x16(vec2(scale, 0)) : 0x7e00u;
}

uint quantized(float value, float scale) {
    int integer = scale > 0.0 ? int(roundEven(clamp(value / scale, -127.0, 127.0))) : 0;
    return uint(integer + BIAS);
}

void storeSpan(uint row, uint index, float values[SPAN]) {
    uint scales = 0;
    for (uint i = 0; i < columnsOf(index) / 16; i++) {
        if (i % 2 == 0) scales |= scaleOf(values, 16 * i) << (8 * i);
        float scale = scaleOfBlock(scales, i / 2);
        uint at = wordsAt(row, index, i);
        for (uint w = 0; w < 4; w++) {
            uint first = 16 * i + 4 * w;
            cache[at + w] = quantized(values[first], scale) | quantized(values[first + 1], scale) << 8
                | quantized(values[first + 2], scale) << 16 | quantized(values[first + 3], scale) << 24;
        }
    }
    cache[scaleWord(row, index % spansOfHead * 2)] = scales;
}
