import Inference
import Testing

@Suite(.serialized)
struct CacheWriteTests {
    @Test(
        "rows are rounded to the nearest value, ties to even", arguments: [1, 7, 33, 129],
        [ElementType.f32, .f16, .bf16])
    func write(_ tokens: Int, _ type: ElementType) throws {
        for (heads, headDim) in [(1, 16), (2, 64), (3, 80), (8, 128), (2, 256), (2, 10)] {
            var generator = SeededGenerator(seed: UInt64(tokens + headDim))
            var bench = KernelBench()
            bench.random("cache", .init(batch: heads, rows: tokens + 9, columns: headDim), type, using: &generator)
            bench.random("x", .init(rows: tokens, columns: heads * headDim + 3), using: &generator, scale: 100)
            bench.counter("position", 6)
            let (found, expected) = try bench.run { graph, view in
                let (cache, x) = (view("cache", &graph), view("x", &graph))
                let position = view("position", &graph)
                graph.add(
                    .writeCache(
                        CacheWrite(
                            input: x.columns(3..<heads * headDim + 3), cache: cache.tensor, position: position)))
            }
            // Rounding is the same on both sides, to the bit; rows before and after keep their values.
            #expect(found["cache"] == expected["cache"])
        }
    }

    @Test("rows past the cache's end are dropped")
    func past() throws {
        var generator = SeededGenerator(seed: 5)
        var bench = KernelBench()
        bench.random("cache", .init(batch: 2, rows: 4, columns: 16), .f16, using: &generator)
        bench.random("x", .init(rows: 3, columns: 32), using: &generator)
        bench.counter("position", 3)
        let (found, expected) = try bench.run { graph, view in
            let (cache, x, position) = (view("cache", &graph), view("x", &graph), view("position", &graph))
            graph.add(.writeCache(CacheWrite(input: x, cache: cache.tensor, position: position)))
        }
        #expect(found["cache"] == expected["cache"])
    }
}
