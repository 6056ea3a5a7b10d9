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

    /// Bytes of a row of `columns` elements, padding included: a multiple of 16.
    public func rowBytes(columns: Int) -> Int {
        blockFormat?.rowBytes(columns: columns) ?? TensorShape(columns: columns).rowStride * byteCount
    }

    /// Rows that are stored together: one, or a tile of a quantized type.
    public var tileRows: Int { blockFormat == nil ? 1 : BlockFormat.tileRows }

    /// The rows a matrix of `rows` is padded to: whole tiles.
    public func storedRows(_ rows: Int) -> Int { (rows + tileRows - 1) / tileRows * tileRows }

    /// Bytes from a matrix's start to a row's.
    public func rowOffset(_ row: Int, columns: Int) -> Int {
        blockFormat?.rowOffset(row, columns: columns) ?? row * rowBytes(columns: columns)
    }

    /// Bytes of one matrix of a tensor, padding included.
    public func matrixBytes(of shape: TensorShape) -> Int {
        storedRows(shape.rows) * rowBytes(columns: shape.columns)
    }

    /// Bytes of a whole tensor, padding included.
    public func byteCount(of shape: TensorShape) -> Int { shape.batch * matrixBytes(of: shape) }
}
