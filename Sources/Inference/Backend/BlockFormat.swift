/// How quantized rows are stored: blocks of 32 neighbouring columns as small integers with one scale.
///
/// The numbers are those of llama.cpp's formats of the same names (`ggml-quants.c`): a value is `d * q`, and
/// - q8_0: `d = max|x| / 127`, `q = round(x / d)` in -127 ... 127, ties to even;
/// - q4_0: `d = x / -8` of the x with the largest magnitude, `q = trunc(x / d + 8.5) - 8` in -8 ... 7.
///
/// d is rounded to f16 before the integers are computed, so a value of q8_0 is off by at most d / 2 (and 127 * 2^-25 where
/// d is so small that f16 resolves no more). A d that rounds to zero makes a block of zeros. A block that holds an infinity
/// or a NaN, or whose d f16 has no room for, has NaN for a scale, so that nothing hides it.
///
/// The layout is this engine's own. Integers are stored without sign, `q + 128` in a byte or `q + 8` in four bits, lower
/// columns in lower bits. A row is a list of units of 16 bytes: for every eight blocks a unit of eight scales, then the units
/// of those blocks' integers. Columns past the last one are zeros. Eight neighbouring rows form a tile, in which unit u of
/// all eight follows unit u - 1 of all eight: kernels compute rows side by side, so they read memory from end to end.
/// A matrix is padded to whole tiles.
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

    /// Rows of a tile.
    public static let tileRows = 8

    /// Bytes of a unit.
    public static let unitBytes = 16

    /// Bytes of a row.
    public func rowBytes(columns: Int) -> Int {
        let blocks = Self.blocks(columns: columns)
        return Self.unitBytes * (blocks * blockUnits + (blocks + 7) / 8)
    }

    /// Bytes from a matrix's start to a row's first unit.
    public func rowOffset(_ row: Int, columns: Int) -> Int {
        row / Self.tileRows * Self.tileRows * rowBytes(columns: columns) + row % Self.tileRows * Self.unitBytes
    }

    /// Units of a block's integers.
    private var blockUnits: Int { bits / 4 }

    /// Bytes from a row's first unit to a block's scale.
    private func scaleOffset(_ block: Int) -> Int {
        unitOffset(block / 8 * (8 * blockUnits + 1)) + block % 8 * 2
    }

    /// Bytes from a row's first unit to a unit of a block's integers.
    private func integersOffset(_ block: Int, unit: Int) -> Int {
        unitOffset(block / 8 * (8 * blockUnits + 1) + 1 + block % 8 * blockUnits + unit)
    }

    private func unitOffset(_ unit: Int) -> Int { unit * Self.tileRows * Self.unitBytes }

    /// The value of one column of a row.
    /// - Parameter row: its first unit.
    public func load(row: UnsafeRawPointer, column: Int) -> Float {
        let (block, place) = (column / Self.columns, column % Self.columns * bits / 8)
        let integers = row + integersOffset(block, unit: place / Self.unitBytes)
        let byte = integers.load(fromByteOffset: place % Self.unitBytes, as: UInt8.self)
        let stored = bits == 8 ? byte : byte >> (4 * UInt8(column % 2)) & 0xf
        let scale = row.load(fromByteOffset: scaleOffset(block), as: UInt16.self)
        return FloatConversion.float(f16: scale) * Float(Int32(stored) - bias)
    }

    /// Quantizes a row.
    ///
    /// - Parameters:
    ///   - row: its first unit, in a matrix that has room for the tile.
    ///   - load: puts the `count` values from column `first` on into `values`.
    func store(
        row: UnsafeMutableRawPointer, columns: Int,
        load: (_ first: Int, _ count: Int, _ values: UnsafeMutablePointer<Float>) -> Void
    ) {
        let blocks = Self.blocks(columns: columns)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.columns) { buffer in
            guard let values = buffer.baseAddress else { return }
            for block in 0..<blocks {
                let first = block * Self.columns
                let count = min(columns - first, Self.columns)
                load(first, count, values)
                for column in count..<Self.columns { values[column] = 0 }
                let scale = bits == 8 ? Self.scale8(values) : Self.scale4(values)
                row.storeBytes(of: scale, toByteOffset: scaleOffset(block), as: UInt16.self)
                for unit in 0..<blockUnits {
                    let integers = (row + integersOffset(block, unit: unit)).assumingMemoryBound(to: UInt8.self)
                    if bits == 8 {
                        Self.store8(values + unit * Self.unitBytes, scale, integers)
                    } else {
                        Self.store4(values, scale, integers)
                    }
                }
            }
        }
        clearScales(of: blocks..<(blocks + 7) & ~7, row)
    }

    /// Sets the scales of blocks that aren't there.
    private func clearScales(of blocks: Range<Int>, _ row: UnsafeMutableRawPointer) {
        for block in blocks { row.storeBytes(of: 0, toByteOffset: scaleOffset(block), as: UInt16.self) }
    }

    /// Stores integers with the same scale for all blocks as a row.
    ///
    /// - Parameters:
    ///   - integers: in `-bias ..< bias`, one for each column.
    ///   - row: its first unit, in a matrix of zeros that has room for the tile.
    public func store(_ integers: [Int32], scale: Float, row: UnsafeMutableRawPointer) {
        let blocks = Self.blocks(columns: integers.count)
        for column in 0..<blocks * Self.columns {
            let stored = UInt8((column < integers.count ? integers[column] : 0) + bias)
            let (block, place) = (column / Self.columns, column % Self.columns * bits / 8)
            let unit = (row + integersOffset(block, unit: place / Self.unitBytes)).assumingMemoryBound(to: UInt8.self)
            unit[place % Self.unitBytes] |= bits == 8 ? stored : stored << (4 * UInt8(column % 2))
        }
        for block in 0..<blocks {
            row.storeBytes(of: FloatConversion.f16(scale), toByteOffset: scaleOffset(block), as: UInt16.self)
        }
    }

    /// f16's NaN, and its infinity.
    private static let (notANumber, infinity): (UInt16, UInt16) = (0x7e00, 0x7c00)

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
        let scale = FloatConversion.f16(Float(bitPattern: magnitude) * (1 / 127))
        return scale < infinity ? scale : notANumber
    }

    private static func scale4(_ values: UnsafeMutablePointer<Float>) -> UInt16 {
        let magnitude = largestMagnitude(values)
        guard magnitude < 0x7f80_0000 else { return notANumber }
        let isNegative = (0..<columns).first { values[$0].bitPattern & 0x7fff_ffff == magnitude }
            .map { values[$0].sign == .minus }
        let scale = FloatConversion.f16(Float(bitPattern: magnitude) * 0.125)
        guard scale < infinity else { return notANumber }
        return isNegative == true ? scale : scale | 0x8000
    }

    /// What rounds a float32 below 2^22 to an integer when it is added: the sum's last place is 1.
    private static let rounding: Float = 0x1.8p23

    /// Stores a unit of integers.
    private static func store8(
        _ values: UnsafeMutablePointer<Float>, _ scale: UInt16, _ integers: UnsafeMutablePointer<UInt8>
    ) {
        let scale = FloatConversion.float(f16: scale)
        guard scale > 0 else { return integers.update(repeating: 128, count: unitBytes) }
        for column in 0..<unitBytes {
            let quotient = max(-127, min(127, values[column] / scale))
            let integer = (quotient + rounding).bitPattern &- rounding.bitPattern
            integers[column] = UInt8(truncatingIfNeeded: integer &+ 128)
        }
    }

    /// Stores a block's integers, which are a unit; changes the values.
    private static func store4(
        _ values: UnsafeMutablePointer<Float>, _ scale: UInt16, _ integers: UnsafeMutablePointer<UInt8>
    ) {
        let scale = FloatConversion.float(f16: scale)
        guard abs(scale) > 0 else { return integers.update(repeating: 0x88, count: unitBytes) }
        for column in 0..<columns {
            // In 0 ..< 16, of which the lower integer is meant; rounding finds it or, at times, the one below.
            let quotient = max(0, min(15.5, values[column] / scale + 8.5))
            let integer = (quotient - 0.5 + rounding) - rounding
            values[column] = integer + 1 <= quotient ? integer + 1 : integer
        }
        for index in 0..<unitBytes {
            let low = (values[2 * index] + rounding).bitPattern &- rounding.bitPattern
            let high = (values[2 * index + 1] + rounding).bitPattern &- rounding.bitPattern
            integers[index] = UInt8(truncatingIfNeeded: low | high << 4)
        }
    }
}

extension ElementType {
    /// The float32 value of a column of a stored row.
    /// - Parameter row: `rowOffset` bytes from its matrix's start.
    @inline(__always)
    public func load(row: UnsafeRawPointer, column: Int) -> Float {
        blockFormat?.load(row: row, column: column) ?? load(row, column)
    }

    /// Rounds values to the type and stores them as a row, padding included.
    /// - Parameter row: `rowOffset` bytes from its matrix's start.
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
