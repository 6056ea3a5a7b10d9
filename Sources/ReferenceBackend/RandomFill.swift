import Inference

/// Fills a tensor with random values; see `Backend.makeRandomTensor`.
///
/// A hash of the element's index (multiplications and shifted exclusive-ors) gives 24 bits, which are exact in float32.
enum RandomFill {
    static func run(_ tensor: ReferenceTensor, seed: UInt32, scale: Float) {
        let shape = tensor.shape
        guard let base = tensor.bytes.baseAddress else { return }
        for row in 0..<shape.batch * shape.rows {
            for column in 0..<shape.columns {
                let index = UInt32(truncatingIfNeeded: row * shape.columns + column)
                tensor.type.store(value(index, seed) * scale, base, row * shape.rowStride + column)
            }
        }
    }

    /// In -1 ..< 1.
    private static func value(_ index: UInt32, _ seed: UInt32) -> Float {
        var hash = index &* 0x9e37_79b9 &+ seed
        hash ^= hash >> 16
        hash = hash &* 0x7feb_352d
        hash ^= hash >> 15
        hash = hash &* 0x846c_a68b
        hash ^= hash >> 16
        return 2 * (Float(hash >> 8) * 0x1p-24) - 1
    }
}
