// What the kernels of a matrix product share: their arguments, and what ends a sum.

layout(set = 0, binding = 0) readonly buffer Bias { float biases[]; };
layout(set = 0, binding = 1) readonly buffer Residual { float residuals[]; };
layout(set = 0, binding = 2) writeonly buffer Output { float outputs[]; };

layout(push_constant) uniform Arguments {
    uint columns;            // of the weight: terms of each sum
    uint rows;               // of the weight in this window
    uint firstRow;           // of the window, in the whole weight
    uint tokens;
    uint weightOffset;       // in eights or, quantized, units, as the next two
    uint weightRowStride;
    uint weightBatchStride;
    uint inputOffset;        // in fours, as the next two
    uint inputRowStride;
    uint inputBatchStride;
    uint biasBatchStride;
    uint residualOffset;
    uint residualRowStride;
    uint residualBatchStride;
    uint outputOffset;
    uint outputRowStride;
    uint outputBatchStride;
    uint firstBatch;         // of the window
    uint flags;              // 1: bias, 2: residual, 4: gelu, 8: the rows' second half gated by the first, 16: sums of a split
    float epsilon;           // of the input's norm
    uint splits;             // of the columns; of several, `linear_sum.comp` adds up the sums
};

// The error function after Abramowitz and Stegun 7.1.26. It is good to 1.5e-7, which is what float32 resolves of the
// `1 + erf` it goes into.
float erf(float x) {
    float t = 1.0 / (1.0 + 0.3275911 * abs(x));
    float polynomial =
        t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return sign(x) * (1.0 - polynomial * exp(-x * x));
}

float gelu(float x) {
    return 0.5 * x * (1.0 + erf(x * 0.70710678118654752));
}

// Ends a row's sum, of matrix `batch` of the window. `other` is the sum of the row that this one gates.
void finishRow(float sum, float other, uint batch, uint row, uint token) {
    bool isGated = (flags & 8) != 0;
    if (row >= (isGated ? rows / 2 : rows) || token >= tokens) return;
    uint output_ = firstRow + row;
    uint matrix = firstBatch + batch;
    float value = sum;
    if (isGated) value = sum / (1.0 + exp(-sum)) * other;
    if ((flags & 1) != 0) value += biases[matrix * biasBatchStride + output_];
    if ((flags & 4) != 0) value = gelu(value);
    if ((flags & 2) != 0)
        value += residuals[residualOffset + matrix * residualBatchStride + token * residualRowStride + output_];
    uint place = (flags & 16) != 0 ? gl_WorkGroupID.z : matrix;
    outputs[outputOffset + place * outputBatchStride + token * outputRowStride + output_] = value;
}
