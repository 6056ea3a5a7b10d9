import Inference
import Testing

@Suite(.serialized)
struct GatedAddTests {
    @Test("sigmoid-weighted sums into the cache", arguments: [1, 7, 33, 129], [ElementType.f32, .f16, .bf16, .q8_0])
    func add(_ tokens: Int, _ type: ElementType) throws {
        for (heads, headDim) in [(1, 16), (2, 32), (3, 80), (8, 128), (2, 256), (3, 96)] {
            if type == .q8_0, headDim % 32 != 0 { continue }
            var generator = SeededGenerator(seed: UInt64(tokens + headDim))
            var bench = KernelBench()
            bench.random("cache", .init(batch: heads, rows: tokens + 4, columns: headDim), type, using: &generator)
            bench.random("p", .init(batch: 2, rows: tokens, columns: heads * headDim), using: &generator)
            bench.random("s", .init(batch: 2, rows: tokens, columns: heads), using: &generator, scale: 8)
            bench.counter("position", 3)
            let (found, expected) = try bench.run { graph, view in
                let (cache, p, s) = (view("cache", &graph), view("p", &graph), view("s", &graph))
                let position = view("position", &graph)
                graph.add(
                    .gatedAdd(
                        GatedAdd(
                            projected: p.matrix(1), scale: s.matrix(1), cache: cache.tensor, position: position)))
            }
            expectClose(found["cache"], expected["cache"], "cache") { _, value in
                // Both addends are below 1.
                (type == .q8_0 ? Tolerance.step(largest: 2) : Tolerance.rounded(value, to: type)) + 4 * Tolerance.unit
            }
        }
    }
}
