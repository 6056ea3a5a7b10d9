import Inference
import Testing

@Suite(.serialized)
struct MagnitudeTests {
    /// What looking at `[2, 3, columns]` values finds, within a tensor that has NaN around them.
    private func look(_ columns: Int, _ change: [Int: Float]) throws -> (magnitude: Float, column: UInt32)? {
        var generator = SeededGenerator(seed: UInt64(columns))
        var values = [Float](repeating: .nan, count: 2 * 4 * (columns + 2))
        for matrix in 0..<2 {
            for row in 0..<3 {
                for column in 0..<columns {
                    let index = (matrix * 3 + row) * columns + column
                    values[(matrix * 4 + row) * (columns + 2) + column + 1] = change[index] ?? generator.float()
                }
            }
        }
        var bench = KernelBench()
        bench.add("x", .init(batch: 2, rows: 4, columns: columns + 2), .f32, values)
        bench.add("result", .init(columns: 4), .u32, [9, 0, 0, 9])
        let (found, expected) = try bench.run { graph, view in
            let x = view("x", &graph).rows(0..<3).columns(1..<columns + 1)
            graph.add(.magnitude(Magnitude(input: x, result: view("result", &graph).columns(1..<3))))
        }
        #expect(found["result"] == expected["result"])
        guard let result = found["result"] else { return nil }
        #expect(result[0] == 9 && result[3] == 9)
        // Read as float32, u32 keep 24 bits.
        return (Float(bitPattern: UInt32(min(result[1], 4_294_967_040))), UInt32(min(result[2], 4_294_967_040)))
    }

    @Test("the largest magnitude of all matrices and rows", arguments: [1, 7, 128, 300])
    func numbers(_ columns: Int) throws {
        for index in [0, columns - 1, 4 * columns, 6 * columns - 1] {
            let found = try #require(try look(columns, [index: -1024]))
            #expect(found.magnitude == 1024 && found.column == 0)
        }
    }

    @Test("what is no number is above all, and the first column is told", arguments: [1, 128, 300])
    func strange(_ columns: Int) throws {
        for value in [Float.nan, -.nan, .infinity, -.infinity] {
            let found = try #require(try look(columns, [6 * columns - 1: value, 5 * columns - 1: value]))
            #expect(!found.magnitude.isFinite && found.column > 0)
        }
    }
}
