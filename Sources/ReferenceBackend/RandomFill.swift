import Inference

/// Fills a tensor with random values; see `Backend.makeRandomTensor`.
///
/// A hash of the element's index (multiplications and shifted exclusive-ors) gives 24 bits, which are exact in float32.
enum RandomFill {
    static func run(_ tensor: ReferenceTensor, seed: UInt32, scale: Float) {
        let shape = tensor.shape
        guard let base = tensor.bytes.baseAddress else { return }
        for row in 0..<shape.batch * shape.rows {
            let values = (0..<shape.columns).map { column in
                value(UInt32(truncatingIfNeeded: row * shape.columns + column), seed)
            }
            let address =
                base + row / shape.rows * tensor.type.matrixBytes(of: shape)
                + tensor.type.rowOffset(row % shape.rows, columns: shape.columns)
            if let format = tensor.type.blockFormat {
                // In -bias ..< bias, with one scale for all.
                let integers = values.map { Int32(($0 * Float(format.bias)).rounded(.down)) }
                format.store(integers, scale: scale / Float(format.bias), row: address)
            } else {
                tensor.type.store(values.map { $0 * scale }, row: address)
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
