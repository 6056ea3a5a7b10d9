import Inference
import Testing

@Suite(.serialized)
struct CacheWriteTests {
    @Test(
        "rows are rounded to the nearest value, ties to even", arguments: [1, 7, 33, 129],
        [ElementType.f32, .f16, .bf16, .q8_0])
    func write(_ tokens: Int, _ type: ElementType) throws {
        for (heads, headDim) in [(1, 16), (2, 64), (3, 80), (8, 128), (2, 256), (2, 10), (3, 32), (2, 96)] {
            if type == .q8_0, headDim % 32 != 0 { continue }
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
            // Rounding is the same on both sides, to the bit; rows before and after keep their values. But a quotient of q8_0
            // may lie half-way between integers, and Vulkan divides within some units in the last place.
            if type != .q8_0 { #expect(found["cache"] == expected["cache"]) }
            expectClose(found["cache"], expected["cache"], "cache") { _, _ in Tolerance.step(largest: 100) }
            let agreeing = zip(found["cache"] ?? [], expected["cache"] ?? []).count { $0 == $1 }
            #expect(agreeing >= heads * (tokens + 9) * headDim * 999 / 1000)
        }
    }

    @Test("rows past the cache's end are dropped", arguments: [ElementType.f16, .q8_0])
    func past(_ type: ElementType) throws {
        var generator = SeededGenerator(seed: 5)
        var bench = KernelBench()
        bench.random("cache", .init(batch: 2, rows: 4, columns: 32), type, using: &generator)
        bench.random("x", .init(rows: 3, columns: 64), using: &generator)
        bench.counter("position", 3)
        let (found, expected) = try bench.run { graph, view in
            let (cache, x, position) = (view("cache", &graph), view("x", &graph), view("position", &graph))
            graph.add(.writeCache(CacheWrite(input: x, cache: cache.tensor, position: position)))
        }
        #expect(found["cache"] == expected["cache"])
    }

    @Test(
        "what no integer stands for: NaN, infinities and values whose scale has no room make a block NaN, zeros and tiny values zero"
    )
    func hostile() throws {
        var generator = SeededGenerator(seed: 6)
        var bench = KernelBench()
        bench.random("cache", .init(rows: 7, columns: 64), .q8_0, using: &generator)
        var x = generator.floats(7 * 64)
        for (row, value) in [Float.nan, .infinity, -.infinity, 3e38, -3e38].enumerated() { x[row * 64 + 40] = value }
        for column in 0..<64 { (x[5 * 64 + column], x[6 * 64 + column]) = (0, 1e-9) }
        bench.add("x", .init(rows: 7, columns: 64), .f32, x)
        bench.counter("position", 0)
        let (found, expected) = try bench.run { graph, view in
            let (cache, x, position) = (view("cache", &graph), view("x", &graph), view("position", &graph))
            graph.add(.writeCache(CacheWrite(input: x, cache: cache.tensor, position: position)))
        }
        let (cache, reference) = (try #require(found["cache"]), try #require(expected["cache"]))
        for index in cache.indices {
            let isPoisoned = index < 5 * 64 && index % 64 >= 32
            #expect(cache[index].isNaN == isPoisoned && reference[index].isNaN == isPoisoned)
            if !isPoisoned { #expect(abs(cache[index] - reference[index]) <= Tolerance.step(largest: 1)) }
        }
        #expect(cache[(5 * 64)...].allSatisfy { $0 == 0 })
    }

    @Test("what a q8_0 cache can't hold is an error that says so", arguments: [(ElementType.q8_0, 48), (.q4_0, 64)])
    func refused(_ type: ElementType, _ headDim: Int) throws {
        var generator = SeededGenerator(seed: 6)
        var bench = KernelBench()
        bench.random("cache", .init(rows: 7, columns: headDim), type, using: &generator)
        bench.random("x", .init(rows: 1, columns: headDim), using: &generator)
        bench.counter("position", 0)
        #expect(throws: InferenceError.self) {
            _ = try bench.run { graph, view in
                let (cache, x, position) = (view("cache", &graph), view("x", &graph), view("position", &graph))
                graph.add(.writeCache(CacheWrite(input: x, cache: cache.tensor, position: position)))
            }
        }
    }
}
