import Inference
import Testing

@Suite
struct WeightSourceTests {
    private let top = HostMatrix(name: "top", rows: 2, columns: 3, values: [1, 2, 3, 4, 5, 6])
    private let bottom = HostMatrix(name: "bottom", rows: 1, columns: 3, values: [7, 8, 9])

    private func write(_ source: WeightSource, rows: Range<Int>, as type: ElementType) throws -> [Float] {
        let stride = source.shape.rowStride
        var bytes = [UInt8](repeating: 0xff, count: rows.count * stride * type.byteCount)
        try bytes.withUnsafeMutableBytes { try source.write(rows: rows, as: type, into: $0) }
        return bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return [] }
            return (0..<rows.count * stride).map { type.load(base, $0) }
        }
    }

    @Test("stacked matrices follow each other, padding is zero", arguments: [ElementType.f32, .f16, .bf16])
    func stacking(_ type: ElementType) throws {
        let source = WeightSource(top, bottom)
        #expect(source.shape == TensorShape(rows: 3, columns: 3))
        let padding: [Float] = [0, 0, 0, 0, 0]
        #expect(
            try write(source, rows: 0..<3, as: type) == [1, 2, 3] + padding + [4, 5, 6] + padding + [7, 8, 9] + padding)
        #expect(try write(source, rows: 1..<3, as: type) == [4, 5, 6] + padding + [7, 8, 9] + padding)
    }

    @Test("rows are counted over the batch")
    func batches() throws {
        let source = WeightSource(batches: [[top, bottom], [bottom, top]])
        #expect(source.shape == TensorShape(batch: 2, rows: 3, columns: 3))
        let rows = try write(source, rows: 2..<5, as: .f32)
        #expect([0, 8, 16].map { rows[$0] } == [7, 7, 1])
    }

    @Test("columns can be taken from a wider matrix")
    func columns() throws {
        let source = WeightSource(top.columns(1..<3))
        #expect(source.shape == TensorShape(rows: 2, columns: 2))
        let rows = try write(source, rows: 0..<2, as: .bf16)
        #expect(Array(rows[0..<3]) == [2, 3, 0] && Array(rows[8..<11]) == [5, 6, 0])
    }
}
