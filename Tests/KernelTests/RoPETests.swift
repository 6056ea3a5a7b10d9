import Inference
import Testing

@Suite(.serialized)
struct RoPETests {
    @Test("rotations", arguments: [1, 7, 33, 129], [16, 32, 64, 80, 128, 256])
    func rotate(_ tokens: Int, _ headDim: Int) throws {
        var generator = SeededGenerator(seed: UInt64(tokens + headDim))
        let table = RoPEDescription(theta: 10_000).table(headDim: headDim, positions: tokens + 50)
        var bench = KernelBench()
        bench.random("x", .init(rows: tokens, columns: 3 * headDim + 8), using: &generator)
        bench.add("table", .init(rows: tokens + 50, columns: headDim), .f32, table)
        bench.counter("position", 47)
        let before = bench.tensors[0].values
        let (found, expected) = try bench.run { graph, view in
            let x = view("x", &graph).columns(8..<8 + 3 * headDim)
            let (table, position) = (view("table", &graph), view("position", &graph))
            graph.add(
                .rope(RoPE(input: x, headDim: headDim, table: table.tensor, position: position, output: x)))
        }
        // Two products and a sum of values below 1.
        expectClose(found["x"], expected["x"], "output") { index, _ in
            index % (3 * headDim + 8) < 8 ? 0 : 4 * Tolerance.unit
        }
        #expect(found["x"]?[7] == before[7])
    }
}
