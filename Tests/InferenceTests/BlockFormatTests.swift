import Inference
import Testing

@Suite
struct BlockFormatTests {
    /// What a matrix becomes when it is quantized and read back, and its bytes.
    private func stored(
        _ values: [Float], columns: Int, from source: ElementType = .f32, as type: ElementType
    ) throws -> (values: [Float], bytes: [UInt8]) {
        let rows = values.count / columns
        var bytes = [UInt8](repeating: 0, count: values.count * source.byteCount)
        bytes.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            for (index, value) in values.enumerated() { source.store(value, base, index) }
        }
        let matrix = HostMatrix(name: "m", rows: rows, columns: columns, type: source) { [bytes] body in
            try bytes.withUnsafeBytes { try body($0) }
        }
        let shape = TensorShape(rows: rows, columns: columns)
        var target = [UInt8](repeating: 0xff, count: type.byteCount(of: shape))
        try target.withUnsafeMutableBytes {
            try WeightSource(matrix).write(rows: 0..<type.storedRows(rows), as: type, into: $0)
        }
        return (target.withUnsafeBytes { shape.unpadded($0, as: type) }, target)
    }

    /// A block's largest magnitude.
    private func largest(_ values: ArraySlice<Float>) -> Float { values.reduce(0) { max($0, abs($1)) } }

    private func noise(_ count: Int, seed: UInt64, scale: Float = 1) -> [Float] {
        var state = seed
        return (0..<count).map { _ in
            // Knuth's MMIX generator, as in `verify`.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (Float(state >> 40) * 0x1p-23 - 1) * scale
        }
    }

    @Test("sizes: 8.5 and 4.5 bits a weight where columns fill blocks and rows fill tiles")
    func sizes() {
        let shape = TensorShape(batch: 3, rows: 16, columns: 1024)
        #expect(ElementType.q8_0.byteCount(of: shape) * 8 == shape.count * 17 / 2)
        #expect(ElementType.q4_0.byteCount(of: shape) * 8 == shape.count * 9 / 2)
        // One block and its unit of scales; nine blocks and two units; nine rows are two tiles.
        #expect(ElementType.q8_0.rowBytes(columns: 1) == 48 && ElementType.q4_0.rowBytes(columns: 32) == 32)
        #expect(ElementType.q8_0.rowBytes(columns: 257) == 9 * 32 + 32)
        #expect(ElementType.q8_0.byteCount(of: TensorShape(rows: 9, columns: 1)) == 16 * 48)
    }

    @Test("a q8_0 block, computed by hand")
    func eightBits() throws {
        // d = 127 / 127 = 1: the values are their own integers but for rounding, ties to even.
        var values = [Float](repeating: 0, count: 32)
        values.replaceSubrange(0..<8, with: [127, -127, 1, 0.4, 0.5, 1.5, -2.5, -0.6])
        let (read, bytes) = try stored(values, columns: 32, as: .q8_0)
        #expect(Array(read[0..<9]) == [127, -127, 1, 0, 0, 2, -2, -1, 0])
        // The row's unit of scales: 1 as f16, then none. The tile's seven other rows lie between it and the integers.
        #expect(Array(bytes[0..<16]) == [0x00, 0x3c] + [UInt8](repeating: 0, count: 14))
        #expect(Array(bytes[128..<137]) == [255, 1, 129, 128, 128, 130, 126, 127, 128])
        #expect(bytes[256..<272].allSatisfy { $0 == 128 })
    }

    @Test("a q4_0 block, computed by hand")
    func fourBits() throws {
        // The largest magnitude is that of -16: d = 2. Quotients are halved, and 8.5 added before truncation.
        var values = [Float](repeating: 0, count: 32)
        values.replaceSubrange(0..<8, with: [-16, 16, 2, 1, 0.9, -1, -1.1, 13])
        let (read, bytes) = try stored(values, columns: 32, as: .q4_0)
        // 16 is beyond the highest integer, 7; halves go up.
        #expect(Array(read[0..<9]) == [-16, 14, 2, 2, 0, 0, -2, 14, 0])
        #expect(Array(bytes[0..<2]) == [0x00, 0x40])
        #expect(Array(bytes[128..<133]) == [0xf0, 0x99, 0x88, 0xf7, 0x88])
        // A positive largest value gives a negative d, so that it is met exactly.
        #expect(try stored(values.map { -$0 }, columns: 32, as: .q4_0).values == read.map { -$0 })
    }

    @Test(
        "values are off by half a step at most", arguments: [1, 31, 32, 33, 100, 1056], [ElementType.f32, .f16, .bf16])
    func roundTrip(_ columns: Int, _ source: ElementType) throws {
        let given = noise(11 * columns, seed: UInt64(columns), scale: 0.1)
        // What the source type holds is what is quantized.
        let values = given.map { value in
            switch source {
            case .f16: FloatConversion.float(f16: FloatConversion.f16(value))
            case .bf16: FloatConversion.float(bf16: FloatConversion.bf16(value))
            default: value
            }
        }
        for type in [ElementType.q8_0, .q4_0] {
            let read = try stored(values, columns: columns, from: source, as: type).values
            #expect(read.count == values.count)
            for row in 0..<11 {
                for first in stride(from: row * columns, to: (row + 1) * columns, by: 32) {
                    let block = first..<min(first + 32, (row + 1) * columns)
                    // d as f16 has it, a hair more for the quotient's own rounding. q4_0's integers end at 7, one below
                    // the mirror image of the lowest: there a value is off by up to d, and by what rounding d adds.
                    let scale = FloatConversion.float(
                        f16: FloatConversion.f16(largest(values[block]) / (type == .q8_0 ? 127 : 8)))
                    // Where d is subnormal, half of f16's last place there adds to what the largest integer stands for.
                    let subnormal = scale < 0x1p-14 ? (type == .q8_0 ? 127 : 8) * Float(0x1p-25) : 0
                    let bound =
                        (type == .q8_0 ? 0.5 : 1) * scale * (type == .q8_0 ? 1 + 0x1p-15 : 1 + 0x1p-7) + subnormal
                    for index in block { #expect(abs(read[index] - values[index]) <= bound) }
                }
            }
        }
    }

    @Test("tiles of rows: a matrix of any height, in batches and stacked, reads back in order")
    func tiles() throws {
        let top = HostMatrix(name: "top", rows: 5, columns: 40, values: noise(200, seed: 1))
        let bottom = HostMatrix(name: "bottom", rows: 6, columns: 40, values: noise(240, seed: 2))
        let source = WeightSource(batches: [[top, bottom], [bottom, top]])
        let high = try stored(noise(200, seed: 1), columns: 40, as: .q8_0).values
        let low = try stored(noise(240, seed: 2), columns: 40, as: .q8_0).values
        var bytes = [UInt8](repeating: 0, count: ElementType.q8_0.byteCount(of: source.shape))
        #expect(bytes.count == 2 * 16 * ElementType.q8_0.rowBytes(columns: 40))
        // In chunks of a tile, as a device's staging memory takes them.
        let tileBytes = 8 * ElementType.q8_0.rowBytes(columns: 40)
        try bytes.withUnsafeMutableBytes { bytes in
            for tile in 0..<4 {
                try source.write(
                    rows: tile * 8..<tile * 8 + 8, as: .q8_0,
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes[tile * tileBytes..<(tile + 1) * tileBytes]))
            }
        }
        let read = bytes.withUnsafeBytes { source.shape.unpadded($0, as: .q8_0) }
        #expect(read == high + low + low + high)
    }

    @Test("columns of a wider matrix are quantized as a matrix of their own")
    func columnRange() throws {
        let wide = noise(3 * 50, seed: 5)
        let matrix = HostMatrix(name: "wide", rows: 3, columns: 50, values: wide).columns(7..<47)
        var bytes = [UInt8](repeating: 0, count: ElementType.q4_0.byteCount(of: TensorShape(rows: 3, columns: 40)))
        try bytes.withUnsafeMutableBytes { try WeightSource(matrix).write(rows: 0..<8, as: .q4_0, into: $0) }
        let alone = (0..<3).flatMap { wide[$0 * 50 + 7..<$0 * 50 + 47] }
        let read = bytes.withUnsafeBytes { TensorShape(rows: 3, columns: 40).unpadded($0, as: .q4_0) }
        #expect(read == (try stored(alone, columns: 40, as: .q4_0).values))
    }

    @Test(
        "hostile values: infinities and NaN are not hidden, the rest stays itself",
        arguments: [ElementType.q8_0, .q4_0])
    func hostile(_ type: ElementType) throws {
        for poison in [Float.nan, .infinity, -.infinity, .signalingNaN] {
            var values = noise(96, seed: 9)
            values[40] = poison
            let read = try stored(values, columns: 96, as: type).values
            #expect(read[32..<64].allSatisfy { $0.isNaN })
            #expect(read[..<32].allSatisfy { $0.isFinite } && read[64...].allSatisfy { $0.isFinite })
        }
        let zeros = try stored([Float](repeating: -0.0, count: 64), columns: 64, as: type).values
        #expect(zeros.allSatisfy { $0 == 0 })
        // A scale that f16 has no room for makes a wrong block, which nothing hides either; one that it rounds to zero, zeros.
        let huge = try stored([3e38, -3e38] + noise(62, seed: 3), columns: 64, as: type).values
        #expect(huge[..<32].allSatisfy { $0.isNaN } && huge[32...].allSatisfy { $0.isFinite })
        #expect(try stored(noise(32, seed: 4, scale: 1e-9), columns: 32, as: type).values.allSatisfy { $0 == 0 })
    }
}
