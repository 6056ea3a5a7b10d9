/// The type of the elements of a tensor in a backend's memory.
public enum ElementType: String, Sendable, Hashable, CaseIterable, Codable {
    case f32, f16, bf16
    /// Blocks of 32 neighbouring columns as 8-bit or 4-bit integers with a scale; see `BlockFormat`.
    case q8_0, q4_0
    /// Token ids, positions and counters.
    case u32

    /// How a quantized type's rows are stored; nil for types whose elements stand alone.
    public var blockFormat: BlockFormat? {
        switch self {
        case .q8_0: .q8_0
        case .q4_0: .q4_0
        case .f32, .f16, .bf16, .u32: nil
        }
    }

    /// Bytes one element takes. Only types whose elements stand alone have it; `rowBytes` holds for all.
    public var byteCount: Int {
        switch self {
        case .f32, .u32: 4
        case .f16, .bf16: 2
        case .q8_0, .q4_0: preconditionFailure("an element of \(self) is part of a block")
        }
    }

    /// Bytes between the starts of two rows of `columns` elements, padding included: a multiple of 16.
    public func rowBytes(columns: Int) -> Int {
        blockFormat?.rowBytes(columns: columns) ?? TensorShape(columns: columns).rowStride * byteCount
    }

    /// Bytes of a whole tensor, padding included.
    public func byteCount(of shape: TensorShape) -> Int {
        shape.batch * shape.rows * rowBytes(columns: shape.columns)
    }
}
