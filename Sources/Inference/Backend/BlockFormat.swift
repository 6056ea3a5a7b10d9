/// How quantized rows are stored: blocks of 32 neighbouring columns as small integers with one scale.
///
/// The numbers are those of llama.cpp's formats of the same names (`ggml-quants.c`): a value is `d * q`, and
/// - q8_0: `d = max|x| / 127`, `q = round(x / d)` in -127 ... 127, ties to even;
/// - q4_0: `d = x / -8` of the x with the largest magnitude, `q = trunc(x / d + 8.5) - 8` in -8 ... 7.
///
/// d is rounded to f16 before the integers are computed, so a value of q8_0 is off by at most d / 2. A d that f16 has no
/// room for becomes its largest number; one that rounds to zero makes a block of zeros; a block that holds an
/// infinity or a NaN has NaN for a scale, so that nothing hides it.
///
/// The layout is this engine's own. A row starts at a multiple of 16 bytes with the integers of all its blocks, lower
/// columns in lower bits, stored without sign: `q + 128` in a byte or `q + 8` in four bits. The scales of all blocks
/// follow. Columns past the last one are zeros.
public struct BlockFormat: Sendable, Hashable {
    /// Bits of an integer: 8 or 4.
    public let bits: Int

    public static let q8_0 = BlockFormat(bits: 8)
    public static let q4_0 = BlockFormat(bits: 4)

    /// Columns of a block.
    public static let columns = 32

    /// What is added to an integer to store it.
    public var bias: Int32 { 1 << (bits - 1) }

    /// Blocks of a row.
    public static func blocks(columns: Int) -> Int { (columns + Self.columns - 1) / Self.columns }

    /// Bytes of a row's integers, which the scales follow.
    public func integerBytes(columns: Int) -> Int { Self.blocks(columns: columns) * Self.columns * bits / 8 }

    /// Bytes between the starts of two rows.
    public func rowBytes(columns: Int) -> Int {
        (integerBytes(columns: columns) + 2 * Self.blocks(columns: columns) + 15) & ~15
    }

    /// The value of one column of a row.
    public func load(row: UnsafeRawPointer, column: Int, columns: Int) -> Float {
        let byte = row.load(fromByteOffset: column * bits / 8, as: UInt8.self)
        let stored = bits == 8 ? byte : byte >> (4 * UInt8(column % 2)) & 0xf
        let scale = row.loadUnaligned(
            fromByteOffset: integerBytes(columns: columns) + 2 * (column / Self.columns), as: UInt16.self)
        return FloatConversion.float(f16: scale) * Float(Int32(stored) - bias)
    }

    /// Quantizes a row.
    ///
    /// - Parameters:
    ///   - row: room for `rowBytes(columns:)`.
    ///   - load: puts the `count` values from column `first` on into `values`.
    func store(
        row: UnsafeMutableRawPointer, columns: Int,
        load: (_ first: Int, _ count: Int, _ values: UnsafeMutablePointer<Float>) -> Void
    ) {
        let scales = row + integerBytes(columns: columns)
        let end = row + rowBytes(columns: columns)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.columns) { buffer in
            guard let values = buffer.baseAddress else { return }
            for block in 0..<Self.blocks(columns: columns) {
                let first = block * Self.columns
                let count = min(columns - first, Self.columns)
                load(first, count, values)
                for column in count..<Self.columns { values[column] = 0 }
                let scale = bits == 8 ? Self.scale8(values) : Self.scale4(values)
                scales.storeBytes(of: scale, toByteOffset: 2 * block, as: UInt16.self)
                let integers = row + first * bits / 8
                if bits == 8 {
                    Self.store8(values, scale, integers.assumingMemoryBound(to: UInt8.self))
                } else {
                    Self.store4(values, scale, integers.assumingMemoryBound(to: UInt8.self))
                }
            }
        }
        let used = scales + 2 * Self.blocks(columns: columns)
        used.initializeMemory(as: UInt8.self, repeating: 0, count: end - used)
    }

    /// Stores integers with the same scale for all blocks as a row.
    ///
    /// - Parameters:
    ///   - integers: in `-bias ..< bias`, one for each column.
    ///   - row: room for `rowBytes`, zeros.
    public func store(_ integers: [Int32], scale: Float, row: UnsafeMutableRawPointer) {
        let blocks = Self.blocks(columns: integers.count)
        let bytes = row.assumingMemoryBound(to: UInt8.self)
        for column in 0..<blocks * Self.columns {
            let stored = UInt8((column < integers.count ? integers[column] : 0) + bias)
            bytes[column * bits / 8] |= bits == 8 ? stored : stored << (4 * UInt8(column % 2))
        }
        let scales = row + integerBytes(columns: integers.count)
        for block in 0..<blocks {
            scales.storeBytes(of: FloatConversion.f16(scale), toByteOffset: 2 * block, as: UInt16.self)
        }
    }

    /// f16's NaN, and its largest number.
    private static let (notANumber, largest): (UInt16, UInt16) = (0x7e00, 0x7bff)

    /// The bits of the largest magnitude: of numbers without sign these have the numbers' order, NaN above all.
    @inline(__always)
    private static func largestMagnitude(_ values: UnsafeMutablePointer<Float>) -> UInt32 {
        var largest: Int32 = 0
        for column in 0..<columns { largest = max(largest, Int32(values[column].bitPattern & 0x7fff_ffff)) }
        return UInt32(largest)
    }

    private static func scale8(_ values: UnsafeMutablePointer<Float>) -> UInt16 {
        let magnitude = largestMagnitude(values)
        guard magnitude < 0x7f80_0000 else { return notANumber }
        // A product, since not every device divides exactly, and all must find the same scale.
        return min(FloatConversion.f16(Float(bitPattern: magnitude) * (1 / 127)), largest)
    }

    private static func scale4(_ values: UnsafeMutablePointer<Float>) -> UInt16 {
        let magnitude = largestMagnitude(values)
        guard magnitude < 0x7f80_0000 else { return notANumber }
        let isNegative = (0..<columns).first { values[$0].bitPattern & 0x7fff_ffff == magnitude }
            .map { values[$0].sign == .minus }
        let scale = min(FloatConversion.f16(Float(bitPattern: magnitude) * 0.125), largest)
        return isNegative == true ? scale : scale | 0x8000
    }

    /// What rounds a float32 below 2^22 to an integer when it is added: the sum's last place is 1.
    private static let rounding: Float = 0x1.8p23

    private static func store8(
        _ values: UnsafeMutablePointer<Float>, _ scale: UInt16, _ integers: UnsafeMutablePointer<UInt8>
    ) {
        let scale = FloatConversion.float(f16: scale)
        guard scale > 0 else { return integers.update(repeating: 128, count: columns) }
        for column in 0..<columns {
            let quotient = max(-127, min(127, values[column] / scale))
            let integer = (quotient + rounding).bitPattern &- rounding.bitPattern
            integers[column] = UInt8(truncatingIfNeeded: integer &+ 128)
        }
    }

    private static func store4(
        _ values: UnsafeMutablePointer<Float>, _ scale: UInt16, _ integers: UnsafeMutablePointer<UInt8>
    ) {
        let scale = FloatConversion.float(f16: scale)
        guard abs(scale) > 0 else { return integers.update(repeating: 0x88, count: columns / 2) }
        for column in 0..<columns {
            // In 0 ..< 16, of which the lower integer is meant; rounding finds it or, at times, the one below.
            let quotient = max(0, min(15.5, values[column] / scale + 8.5))
            let integer = (quotient - 0.5 + rounding) - rounding
            values[column] = integer + 1 <= quotient ? integer + 1 : integer
        }
        for index in 0..<columns / 2 {
            let low = (values[2 * index] + rounding).bitPattern &- rounding.bitPattern
            let high = (values[2 * index + 1] + rounding).bitPattern &- rounding.bitPattern
            integers[index] = UInt8(truncatingIfNeeded: low | high << 4)
        }
    }
}

extension ElementType {
    /// The float32 value of a column of a stored row.
    @inline(__always)
    public func load(row: UnsafeRawPointer, column: Int, columns: Int) -> Float {
        blockFormat?.load(row: row, column: column, columns: columns) ?? load(row, column)
    }

    /// Rounds values to the type and stores them as a row, padding included.
    ///
    /// - Parameter row: room for `rowBytes(columns: values.count)`.
    public func store(_ values: [Float], row: UnsafeMutableRawPointer) {
        values.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            ElementType.f32.convertRow(from: base, columns: values.count, to: self, row: row)
        }
    }

    /// Converts a row of this type, whose elements stand alone and have any alignment, to a stored row of another.
    func convertRow(
        from source: UnsafeRawPointer, columns: Int, to target: ElementType, row: UnsafeMutableRawPointer
    ) {
        if let format = target.blockFormat {
            format.store(row: row, columns: columns) { first, count, values in
                load(source + first * byteCount, count: count, into: values)
            }
            return
        }
        let usedBytes = columns * target.byteCount
        if target == self {
            row.copyMemory(from: source, byteCount: usedBytes)
        } else {
            for column in 0..<columns { target.store(load(source, column), row, column) }
        }
        (row + usedBytes).initializeMemory(
            as: UInt8.self, repeating: 0, count: target.rowBytes(columns: columns) - usedBytes)
    }

    /// Loads neighbouring elements as float32. One loop for each type, so that compilers vectorise them.
    private func load(_ source: UnsafeRawPointer, count: Int, into values: UnsafeMutablePointer<Float>) {
        switch self {
        case .f32: for index in 0..<count { values[index] = ElementType.f32.load(source, index) }
        case .f16: for index in 0..<count { values[index] = ElementType.f16.load(source, index) }
        case .bf16: for index in 0..<count { values[index] = ElementType.bf16.load(source, index) }
        case .u32, .q8_0, .q4_0: for index in 0..<count { values[index] = load(source, index) }
        }
    }
}
