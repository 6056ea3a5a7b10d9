extension WeightSource {
    /// Writes stored rows of the tensor this source fills, padding included.
    ///
    /// - Parameters:
    ///   - rows: whole tiles of stored rows, counted over all matrices of the batch: row r of matrix b is
    ///     `b * type.storedRows(shape.rows) + r`.
    ///   - type: the stored type; values are rounded to it, ties to even, or quantized as `BlockFormat` says.
    ///   - target: room for those rows, each `type.rowBytes(columns: shape.columns)`.
    /// - Throws: what reading a matrix throws.
    public func write(rows: Range<Int>, as type: ElementType, into target: UnsafeMutableRawBufferPointer) throws {
        let shape = shape
        guard let base = target.baseAddress, shape.rows > 0 else { return }
        let rowBytes = type.rowBytes(columns: shape.columns)
        precondition(target.count >= rows.count * rowBytes, "no room for \(rows.count) rows")
        for (batch, matrices) in batches.enumerated() {
            var first = batch * type.storedRows(shape.rows)
            for matrix in matrices {
                let part = rows.clamped(to: first..<first + matrix.rows)
                if !part.isEmpty {
                    try matrix.write(rows: part.lowerBound - first..<part.upperBound - first, as: type) { row in
                        base + type.rowOffset(row + first - rows.lowerBound, columns: shape.columns)
                    }
                }
                first += matrix.rows
            }
        }
    }
}

extension HostMatrix {
    fileprivate func write(
        rows: Range<Int>, as target: ElementType, to address: (_ row: Int) -> UnsafeMutableRawPointer
    ) throws {
        try bytes { source in
            guard let sourceBase = source.baseAddress else { return }
            let sourceRowBytes = rowStride * type.byteCount
            precondition(
                source.count >= (rows.upperBound - 1) * sourceRowBytes + (firstColumn + columns) * type.byteCount,
                "\(name) has fewer bytes than its shape says")
            for row in rows {
                let from = sourceBase + row * sourceRowBytes + firstColumn * type.byteCount
                type.convertRow(from: from, columns: columns, to: target, row: address(row))
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
        for matrix in 0..<batch {
            for row in 0..<rows {
                let row = base + matrix * type.matrixBytes(of: self) + type.rowOffset(row, columns: columns)
                for column in 0..<columns { values.append(type.load(row: row, column: column)) }
            }
        }
        return values
    }
}
