// What the kernels that touch rows of a KV-cache share: one invocation per span of a head's columns of a token. A span is a pair
// of columns; of a quantized cache it is two blocks, whose scales share a word, or the last one.

layout(local_size_x = 32) in;

layout(push_constant) uniform Arguments {
    uint spans;             // of a token in this window, all heads
    uint spansOfHead;
    uint headDim;
    uint firstHead;         // of the window
    uint cacheOffset;       // in pairs or, quantized, units, as the next two
    uint cacheRowStride;
    uint cacheHeadStride;
    uint capacity;          // rows of the cache
    uint positionOffset;
    uint rowsOffset;        // of the token-major side
    uint rowsRowStride;
    uint scaleOffset;       // gated_add only, as the next one
    uint scaleRowStride;
};

// Where a span's row starts in the cache, relative to the window. False for what the cache has no room for.
bool cacheRow(uint position, uint token, uint index, out uint at) {
    uint row = position + token;
    at = cacheOffset + index / spansOfHead * cacheHeadStride + ROW(row, cacheRowStride);
    return index < spans && row < capacity;
}

#ifdef QUANTIZED
#define Pair uint
const uint SPAN = 64;
#else
const uint SPAN = 2;
#endif

// Where a span stands in the token-major rows.
uint rowsIndex(uint token, uint index) {
    uint head = firstHead + index / spansOfHead;
    return rowsOffset + token * rowsRowStride + head * headDim + index % spansOfHead * SPAN;
}
