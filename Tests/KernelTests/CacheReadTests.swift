import Inference
import Testing

@Suite(.serialized)
struct CacheReadTests {
    @Test("rows in token-major order", arguments: [1, 7, 33, 129], [ElementType.f32, .f16, .bf16, .q8_0])
    func read(_ tokens: Int, _ type: ElementType) throws {
        for (heads, headDim) in [(1, 16), (2, 64), (3, 80), (8, 128), (2, 256), (2, 10), (3, 32), (2, 96)] {
            if type == .q8_0, headDim % 32 != 0 { continue }
            var generator = SeededGenerator(seed: UInt64(tokens + headDim))
            var bench = KernelBench()
            bench.random("cache", .init(batch: heads, rows: tokens + 9, columns: headDim), type, using: &generator)
            bench.random("y", .init(batch: 2, rows: tokens, columns: heads * headDim), using: &generator)
            bench.counter("position", 6)
            let before = bench.tensors[1].values
            let (found, expected) = try bench.run { graph, view in
                let (cache, y) = (view("cache", &graph), view("y", &graph))
                let position = view("position", &graph)
                graph.add(
                    .readCache(CacheRead(cache: cache.tensor, position: position, output: y.matrix(1))))
            }
            #expect(found["y"] == expected["y"])
            let matrix = tokens * heads * headDim
            #expect(found["y"].map { Array($0[..<matrix]) } == Array(before[..<matrix]))
        }
    }
}
