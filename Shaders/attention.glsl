// What the kernels of attention share. Causal grouped-query attention over a KV-cache, with a running softmax (Dao et al., arXiv
// 2205.14135), so that nothing of size tokens x keys is ever stored.
//
// The queries of all heads that share a KV head stand side by side as rows, token after token, so keys and values are read once
// for all.

layout(set = 0, binding = 3) readonly buffer Position { uint positions[]; };
layout(set = 0, binding = 4) readonly buffer Padding { uint padding[]; };
layout(set = 0, binding = 5) writeonly buffer Output { float outputs[]; };

layout(push_constant) uniform Arguments {
    uint tokens;
    uint groupSize;        // query heads per KV head
    uint headDim;
    uint firstKVHead;      // of the window
    uint cacheOffset;      // in eights or, quantized, units, as the next two
    uint cacheRowStride;
    uint cacheHeadStride;
    uint capacity;         // rows of the cache
    float scale;
    uint positionOffset;
    uint queriesOffset;
    uint queriesRowStride;
    uint outputOffset;
    uint outputRowStride;
    uint paddingOffset;
    uint hidesPadding;     // 0: there is no padding, whatever is bound
    uint firstToken;       // of the queries, from the position on
};

#define NEGATIVE_INFINITY uintBitsToFloat(0xff800000u)
// What a row's maximum starts from: finite, so that a row which has seen no key yet gives exp(-infinity) = 0.
#define LOWEST uintBitsToFloat(0xff7fffffu)

#ifndef TEXELS
layout(set = 0, binding = 0) readonly buffer Queries { float queries[]; };
layout(set = 0, binding = 1) readonly buffer Keys { Eight keys[]; };
layout(set = 0, binding = 2) readonly buffer Values { Eight values[]; };
#ifdef QUANTIZED
layout(set = 0, binding = 1) readonly buffer KeyScales { uint keysScales[]; };
layout(set = 0, binding = 2) readonly buffer ValueScales { uint valuesScales[]; };
#endif
#endif

// Rows past the end are the last row again, and dropped at the end.
uint rowToRead(uint row) { return min(row, tokens * groupSize - 1); }

// The last key that a row sees.
uint lastKeyOf(uint row) { return min(positions[positionOffset] + firstToken + rowToRead(row) / groupSize, capacity - 1); }

uint headOf(uint row) { return (firstKVHead + gl_WorkGroupID.y) * groupSize + row % groupSize; }

// Where the head of a row starts among the queries and in the output.
uint queryOf(uint row) {
    return queriesOffset + rowToRead(row) / groupSize * queriesRowStride + headOf(rowToRead(row)) * headDim;
}
uint outputOf(uint row) { return outputOffset + row / groupSize * outputRowStride + headOf(row) * headDim; }

// Where the rows of the workgroup's KV head start in the cache.
uint cacheOfHead() { return cacheOffset + gl_WorkGroupID.y * cacheHeadStride; }

// Where a key or value starts. Past the last one it is the last one again, which must weigh nothing then.
uint rowOfKey(uint key, uint end) { return cacheOfHead() + ROW(min(key, end - 1), cacheRowStride); }

// The sum and a product of vectors, in four operations; with `dot` it takes a fifth to add it.
float addProduct(float sum, vec4 a, vec4 b) {
    return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
}

bool isHidden(uint key) { return hidesPadding != 0 && padding[paddingOffset + key] != 0; }
