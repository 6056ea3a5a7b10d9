// Where the kernels of a product find its operands, and where its sums go. `INPUT` is what loads four activations.

// Where the weights of a row, and the activations of a token, start; past the last one, the last one's.
uint weightOfRow(uint batch, uint row) {
    return weightOffset + batch * weightBatchStride + ROW(min(row, rows - 1), weightRowStride);
}
uint inputOfToken(uint batch, uint token) {
    return inputOffset + (firstBatch + batch) * inputBatchStride + min(token, tokens - 1) * inputRowStride;
}

// What was loaded as activations 4i ... 4i + 3, with zeros behind the last column. What lies there is not ours to read: it may
// be anything, NaN included. A weight has zeros there.
vec4 withinColumns(vec4 loaded, uint i) {
    return mix(vec4(0), loaded, lessThan(4 * i + uvec4(0, 1, 2, 3), uvec4(columns)));
}

// The row of the weight that stands at place `i` of `count` in a group's tile. Where the second half of the rows is gated by the
// first, as in SwiGLU, a tile has rows of both, so that whoever has one sum of a pair has the other.
uint rowOfTile(uint group, uint i, uint count) {
    if ((flags & 8) == 0) return group * count + i;
    uint half_ = count / 2;
    return i < half_ ? group * half_ + i : rows / 2 + group * half_ + i - half_;
}

// Ends the sum at place `i` of a tile, of matrix `batch` of the window. `other` is the sum half a tile further.
void finish(float sum, float other, uint batch, uint group, uint i, uint count, uint token) {
    finishRow(sum, other, batch, rowOfTile(group, i, count), token);
}
