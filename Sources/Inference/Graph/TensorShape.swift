/// The shape of a tensor: `batch` matrices of `rows` by `columns`, row-major.
///
/// Every tensor of the engine has this one form, so that every kernel takes any of them: a weight is
/// `[batch, outputs, inputs]`, an activation `[batch, tokens, width]`, a layer's keys
/// `[kvHeads, capacity, headDim]`. Strides count elements that stand alone; how quantized types are stored is `BlockFormat`'s,
/// and bytes of any type are `ElementType`'s to say.
public struct TensorShape: Hashable, Sendable, CustomStringConvertible {
    public var batch: Int
    public var rows: Int
    public var columns: Int

    public init(batch: Int = 1, rows: Int = 1, columns: Int) {
        self.batch = batch
        self.rows = rows
        self.columns = columns
    }

    /// Elements between the starts of two rows: rows are padded to eight elements, so that kernels
    /// load them sixteen bytes at a time whatever the width. What lies in the padding is never used.
    public var rowStride: Int { (columns + 7) & ~7 }

    /// Elements between the starts of two matrices.
    public var batchStride: Int { rows * rowStride }

    /// Elements in all, padding included.
    public var storedCount: Int { batch * batchStride }

    /// Elements in all, padding left out.
    public var count: Int { batch * rows * columns }

    public var description: String {
        batch == 1 ? "[\(rows), \(columns)]" : "[\(batch), \(rows), \(columns)]"
    }
}
