/// A matrix in host memory, perhaps in a mapped file, rows one after another.
public struct HostMatrix: Sendable {
    /// Names it in errors.
    public var name: String
    public var rows: Int
    public var columns: Int
    /// Not a quantized one.
    public var type: ElementType
    /// Elements between the starts of two rows, at least `firstColumn + columns`.
    public var rowStride: Int
    /// The first column taken of each stored row.
    public var firstColumn: Int
    /// Gives the bytes of all stored rows to its argument.
    public var bytes: @Sendable ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

    public init(
        name: String, rows: Int, columns: Int, type: ElementType, rowStride: Int? = nil, firstColumn: Int = 0,
        bytes: @escaping @Sendable ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) {
        self.name = name
        self.rows = rows
        self.columns = columns
        self.type = type
        self.rowStride = rowStride ?? columns
        self.firstColumn = firstColumn
        self.bytes = bytes
    }

    /// A matrix of float32 values, row-major.
    public init(name: String, rows: Int, columns: Int, values: [Float]) {
        precondition(values.count == rows * columns, "\(name): \(values.count) values for [\(rows), \(columns)]")
        self.init(name: name, rows: rows, columns: columns, type: .f32) { body in
            try values.withUnsafeBytes { try body($0) }
        }
    }

    /// Only the columns in `range`.
    public func columns(_ range: Range<Int>) -> HostMatrix {
        var matrix = self
        matrix.firstColumn += range.lowerBound
        matrix.columns = range.count
        return matrix
    }
}

/// A stored tensor's content: for each matrix of the batch, host matrices stacked by rows.
///
/// Stacking joins projections that read the same input (queries, keys and values; gate and up) into one product.
public struct WeightSource: Sendable {
    public var batches: [[HostMatrix]]

    public init(_ stacked: HostMatrix...) {
        batches = [stacked]
    }

    /// - Parameter batches: one list of stacked matrices for each matrix of the batch, all of one shape.
    public init(batches: [[HostMatrix]]) {
        self.batches = batches
    }

    /// `[batch, all stacked rows, columns]`.
    public var shape: TensorShape {
        TensorShape(
            batch: batches.count, rows: batches.first?.reduce(0) { $0 + $1.rows } ?? 0,
            columns: batches.first?.first?.columns ?? 0)
    }
}
