extension WeightSource {
    /// Writes stored rows of the tensor this source fills, padding included.
    ///
    /// - Parameters:
    ///   - rows: counted over all matrices of the batch: row r of matrix b is `b * shape.rows + r`.
    ///   - type: the stored type; values are rounded to it, ties to even, or quantized as `BlockFormat` says.
    ///   - target: room for those rows, each `type.rowBytes(columns: shape.columns)`.
    /// - Throws: what reading a matrix throws.
    public func write(rows: Range<Int>, as type: ElementType, into target: UnsafeMutableRawBufferPointer) throws {
        let shape = shape
        guard let base = target.baseAddress, shape.rows > 0 else { return }
        let rowBytes = type.rowBytes(columns: shape.columns)
        precondition(target.count >= rows.count * rowBytes, "no room for \(rows.count) rows")
        for (batch, matrices) in batches.enumerated() {
            var first = batch * shape.rows
            for matrix in matrices {
                let part = rows.clamped(to: first..<first + matrix.rows)
                if !part.isEmpty {
                    try matrix.write(
                        rows: part.lowerBound - first..<part.upperBound - first, as: type, rowBytes: rowBytes,
                        to: base + (part.lowerBound - rows.lowerBound) * rowBytes)
                }
                first += matrix.rows
            }
        }
    }
}

extension HostMatrix {
    fileprivate func write(
        rows: Range<Int>, as target: ElementType, rowBytes: Int, to base: UnsafeMutableRawPointer
    ) throws {
        try bytes { source in
            guard let sourceBase = source.baseAddress else { return }
            let sourceRowBytes = rowStride * type.byteCount
            precondition(
                source.count >= (rows.upperBound - 1) * sourceRowBytes + (firstColumn + columns) * type.byteCount,
                "\(name) has fewer bytes than its shape says")
            for (index, row) in rows.enumerated() {
                let from = sourceBase + row * sourceRowBytes + firstColumn * type.byteCount
                type.convertRow(from: from, columns: columns, to: target, row: base + index * rowBytes)
            }
        }
    }
}

extension TensorShape {
    /// The values of a stored tensor without padding, row-major, as float32.
    public func unpadded(_ stored: UnsafeRawBufferPointer, as type: ElementType) -> [Float] {
        guard let base = stored.baseAddress else { return [] }
        var values: [Float] = []
        values.reserveCapacity(count)
        let rowBytes = type.rowBytes(columns: columns)
        for row in 0..<batch * rows {
            for column in 0..<columns {
                values.append(type.load(row: base + row * rowBytes, column: column, columns: columns))
            }
        }
        return values
    }
}
