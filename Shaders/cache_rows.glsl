// What the kernels that touch rows of a KV-cache share: one invocation per pair of columns of a token.

layout(local_size_x = 32) in;

layout(push_constant) uniform Arguments {
    uint pairs;             // of a token in this window: heads * headDim / 2
    uint pairsOfHead;       // headDim / 2
    uint firstHead;         // of the window
    uint cacheOffset;       // in pairs, as the next two
    uint cacheRowStride;
    uint cacheHeadStride;
    uint capacity;          // rows of the cache
    uint positionOffset;
    uint rowsOffset;        // of the token-major side
    uint rowsRowStride;
    uint scaleOffset;       // gated_add only, as the next one
    uint scaleRowStride;
};

// Where a pair stands in the cache, relative to the window. False for what the cache has no room for.
bool cacheIndex(uint position, uint token, uint index, out uint at) {
    uint row = position + token;
    at = cacheOffset + index / pairsOfHead * cacheHeadStride + row * cacheRowStride + index % pairsOfHead;
    return index < pairs && row < capacity;
}

// Where a pair stands in the token-major rows.
uint rowsIndex(uint token, uint index) {
    return rowsOffset + token * rowsRowStride + firstHead * 2 * pairsOfHead + 2 * index;
}
