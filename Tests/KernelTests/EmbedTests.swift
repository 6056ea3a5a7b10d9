import Inference
import Testing

@Suite(.serialized)
struct EmbedTests {
    @Test("rows of the table", arguments: [1, 7, 33, 129], [ElementType.f32, .f16, .bf16, .q8_0, .q4_0])
    func embed(_ tokens: Int, _ type: ElementType) throws {
        for columns in [8, 24, 33, 40, 100, 1056] {
            var generator = SeededGenerator(seed: UInt64(tokens + columns))
            var bench = KernelBench()
            bench.random("table", .init(rows: 432, columns: columns), type, using: &generator)
            let ids = (0..<tokens).map { _ in Float(Int.random(in: 0..<432, using: &generator)) }
            bench.add("ids", .init(columns: tokens), .u32, ids)
            bench.random("y", .init(rows: tokens, columns: columns), using: &generator)
            let (found, expected) = try bench.run { graph, view in
                let (table, ids, y) = (view("table", &graph), view("ids", &graph), view("y", &graph))
                graph.add(.embed(Embed(ids: ids, table: table.tensor, output: y)))
            }
            #expect(found["y"] == expected["y"])
        }
    }

    @Test("an id past the table gives zeros, and reads nothing")
    func past() throws {
        var generator = SeededGenerator(seed: 1)
        var bench = KernelBench()
        bench.random("table", .init(rows: 5, columns: 16), .bf16, using: &generator)
        bench.add("ids", .init(columns: 3), .u32, [4, 5, 1_000_000])
        bench.random("y", .init(rows: 3, columns: 16), using: &generator)
        let (found, expected) = try bench.run { graph, view in
            let (table, ids, y) = (view("table", &graph), view("ids", &graph), view("y", &graph))
            graph.add(.embed(Embed(ids: ids, table: table.tensor, output: y)))
        }
        #expect(found["y"] == expected["y"])
        #expect(found["y"]?[16...].allSatisfy { $0 == 0 } == true)
    }
}
