import Inference
import Testing

/// Where numbers end: each kernel on the way from a weight to a token hands on that there is no number.
@Suite(.serialized)
struct NotFiniteTests {
    private static let strange: [Float] = [.nan, -.nan, .infinity, -.infinity, Float(nan: 1, signaling: false)]
    /// What is chosen where there is nothing to choose.
    private static let none = Float(UInt32.max)

    @Test(
        "one strange logit anywhere leaves nothing to choose, greedily",
        arguments: [(1, 0), (432, 431), (8193, 0), (8193, 8192), (40_001, 30_000)])
    func greedy(_ columns: Int, _ index: Int) throws {
        for value in Self.strange {
            var generator = SeededGenerator(seed: 1)
            var logits = generator.floats(columns)
            logits[index] = value
            var bench = KernelBench()
            bench.add("logits", .init(columns: columns), .f32, logits)
            bench.add("token", .init(columns: 1), .u32, [77])
            bench.add("log", .init(columns: 4), .u32, [5, 5, 5, 5])
            bench.counter("step", 2)
            let (found, expected) = try bench.run { graph, view in
                let (logits, token) = (view("logits", &graph), view("token", &graph))
                let (log, step) = (view("log", &graph), view("step", &graph))
                graph.add(.argmax(ArgMax(logits: logits, token: token, log: log.tensor, step: step)))
            }
            for result in [found, expected] {
                #expect(result["token"] == [Self.none])
                #expect(result["log"] == [5, 5, Self.none, 5])
            }
        }
    }

    @Test(
        "one strange logit anywhere leaves nothing to draw, whatever the limits",
        arguments: [(1, 0), (432, 431), (4096, 2048), (40_001, 40_000)],
        [(nil, 1, 0), (7, 1, 0), (nil, 0.9, 0), (300, 0.8, 0.1)] as [(Int?, Float, Float)])
    func drawn(_ row: (columns: Int, index: Int), _ limits: (topK: Int?, topP: Float, minP: Float)) throws {
        for value in [Float.nan, -.infinity] {
            var generator = SeededGenerator(seed: 2)
            var logits = generator.floats(row.columns)
            logits[row.index] = value
            for loadsByLane in [nil, false] {
                let (found, expected) = try SamplingTests().sample(
                    logits, temperature: 0.8, topK: limits.topK, topP: limits.topP, minP: limits.minP,
                    loadsByLane: loadsByLane)
                for result in [found, expected] {
                    #expect(result["token"] == [Self.none])
                    #expect(result["log"] == [5, Self.none, 5, 5])
                }
            }
        }
    }

    @Test(
        "what a cache's type has no room for is no number in it",
        arguments: [
            (ElementType.f32, [Float.infinity, -.infinity, .nan], 3e38),
            (.f16, [65_520, -65_520, 1e6, .infinity, -.infinity, .nan], 65_519),
            (.bf16, [3.4e38, -3.4e38, .infinity, .nan], 3.38e38),
        ] as [(ElementType, [Float], Float)])
    func written(_ type: ElementType, _ strange: [Float], _ largest: Float) throws {
        let headDim = 16
        var rows = [Float](repeating: 1, count: 2 * headDim)
        for (index, value) in strange.enumerated() { rows[index] = value }
        (rows[headDim], rows[headDim + 1]) = (largest, -largest)
        var bench = KernelBench()
        bench.add("cache", .init(rows: 2, columns: headDim), type, Array(repeating: 1, count: 2 * headDim))
        bench.add("added", .init(rows: 2, columns: headDim), type, Array(repeating: 0, count: 2 * headDim))
        bench.add("x", .init(rows: 2, columns: headDim), .f32, rows)
        bench.add("scale", .init(rows: 2, columns: 1), .f32, [30, 30])
        bench.counter("position", 0)
        let (found, expected) = try bench.run { graph, view in
            let (x, position) = (view("x", &graph), view("position", &graph))
            let (cache, added) = (view("cache", &graph).tensor, view("added", &graph).tensor)
            graph.add(.writeCache(CacheWrite(input: x, cache: cache, position: position)))
            graph.add(
                .gatedAdd(GatedAdd(projected: x, scale: view("scale", &graph), cache: added, position: position)))
        }
        for result in [found, expected] {
            for name in ["cache", "added"] {
                let values = try #require(result[name])
                #expect(values[..<strange.count].allSatisfy { $0.isNaN })
                #expect(values[strange.count...].allSatisfy { $0.isFinite })
            }
        }
    }

    @Test("a block of a q8_0 cache whose scale has no room is no number")
    func writtenBlock() throws {
        var bench = KernelBench()
        var x = [Float](repeating: 1, count: 64)
        x[3] = 1e7
        bench.add("cache", .init(rows: 1, columns: 64), .q8_0, Array(repeating: 1, count: 64))
        bench.add("x", .init(rows: 1, columns: 64), .f32, x)
        bench.counter("position", 0)
        let (found, expected) = try bench.run { graph, view in
            let (cache, x, position) = (view("cache", &graph), view("x", &graph), view("position", &graph))
            graph.add(.writeCache(CacheWrite(input: x, cache: cache.tensor, position: position)))
        }
        for result in [found, expected] {
            let values = try #require(result["cache"])
            #expect(values[..<32].allSatisfy { $0.isNaN } && values[32...].allSatisfy { $0.isFinite })
        }
    }

    @Test(
        "a key or value that is no number reaches every row that sees it",
        arguments: [1, 3, 40], [ElementType.f16, .q8_0])
    func attended(_ tokens: Int, _ type: ElementType) throws {
        let (heads, kvHeads, headDim, capacity, start, bad) = (4, 2, 64, 120, 70, 57)
        for poisoned in ["keys", "values"] {
            for (loadsByLane, matrixUnits) in [(nil, nil), (false, false), (false, nil)] as [(Bool?, Bool?)] {
                var generator = SeededGenerator(seed: UInt64(tokens))
                var bench = KernelBench()
                for name in ["keys", "values"] {
                    var values = generator.floats(kvHeads * capacity * headDim)
                    // Of the second KV head only.
                    if name == poisoned { values[(capacity + bad) * headDim + 9] = .nan }
                    bench.add(name, .init(batch: kvHeads, rows: capacity, columns: headDim), type, values)
                }
                bench.random("queries", .init(rows: tokens, columns: heads * headDim), using: &generator)
                bench.add(
                    "output", .init(rows: tokens, columns: heads * headDim), .f32,
                    Array(repeating: 0, count: tokens * heads * headDim))
                bench.counter("position", start)
                let (found, expected) = try bench.run(loadsByLane: loadsByLane, matrixUnits: matrixUnits) {
                    graph, view in
                    graph.add(
                        .attention(
                            Attention(
                                queries: view("queries", &graph), keys: view("keys", &graph).tensor,
                                values: view("values", &graph).tensor, heads: heads, scale: 0.125,
                                position: view("position", &graph), output: view("output", &graph))))
                }
                for result in [found, expected] {
                    let output = try #require(result["output"])
                    for token in 0..<tokens {
                        let row = output[token * heads * headDim..<(token + 1) * heads * headDim]
                        #expect(row.prefix(2 * headDim).allSatisfy { $0.isFinite })
                        for head in 2..<4 {
                            let columns = row.dropFirst(head * headDim).prefix(headDim)
                            #expect(columns.contains { $0.isNaN })
                        }
                    }
                }
            }
        }
    }
}
