import Inference
import Testing

/// Norms, rotations and cache writes, which the device runs as one launch where their operands lie side by side.
@Suite(.serialized)
struct HeadRowsTests {
    struct Shape: CustomTestStringConvertible {
        var tokens: Int
        var heads: Int
        var kvHeads: Int
        var headDim: Int

        var testDescription: String { "\(tokens) tokens, \(heads) and \(kvHeads) heads of \(headDim)" }
    }

    static let shapes = [
        Shape(tokens: 1, heads: 4, kvHeads: 2, headDim: 8), Shape(tokens: 5, heads: 3, kvHeads: 1, headDim: 12),
        Shape(tokens: 7, heads: 6, kvHeads: 2, headDim: 64), Shape(tokens: 3, heads: 2, kvHeads: 2, headDim: 128),
        // Heads of no multiple of four columns take the launches one by one.
        Shape(tokens: 2, heads: 2, kvHeads: 1, headDim: 6),
    ]

    @Test("queries, keys and values", arguments: shapes, [ElementType.f32, .f16, .bf16])
    func rows(_ shape: Shape, _ type: ElementType) throws {
        for hasNorms in [true, false] {
            try compare(shape, type, hasNorms: hasNorms, gap: 0)
        }
    }

    @Test("values that don't follow the keys")
    func gap() throws {
        try compare(Shape(tokens: 3, heads: 2, kvHeads: 1, headDim: 16), .f32, hasNorms: true, gap: 8)
    }

    private func compare(_ shape: Shape, _ type: ElementType, hasNorms: Bool, gap: Int) throws {
        let (capacity, position) = (11, 4)
        let (queryWidth, kvWidth) = (shape.heads * shape.headDim, shape.kvHeads * shape.headDim)
        var generator = SeededGenerator(seed: UInt64(shape.headDim + shape.tokens))
        var bench = KernelBench()
        bench.random("qkv", .init(rows: shape.tokens, columns: queryWidth + gap + 2 * kvWidth), using: &generator)
        bench.random("query_norm", .init(columns: shape.headDim), using: &generator)
        bench.random("key_norm", .init(columns: shape.headDim), using: &generator)
        bench.random("table", .init(rows: capacity, columns: shape.headDim), using: &generator)
        let cache = TensorShape(batch: shape.kvHeads, rows: capacity, columns: shape.headDim)
        bench.random("keys", cache, type, using: &generator)
        bench.random("values", cache, type, using: &generator)
        bench.counter("position", position)
        let (found, expected) = try bench.run { graph, view in
            let qkv = view("qkv", &graph)
            let queries = qkv.columns(0..<queryWidth)
            let keys = qkv.columns(queryWidth..<queryWidth + kvWidth)
            let values = qkv.columns(queryWidth + gap + kvWidth..<queryWidth + gap + 2 * kvWidth)
            let (table, position) = (view("table", &graph).tensor, view("position", &graph))
            if hasNorms {
                for (rows, norm, heads) in [
                    (queries, "query_norm", shape.heads), (keys, "key_norm", shape.kvHeads),
                ] {
                    graph.add(
                        .rmsNorm(
                            RMSNorm(
                                input: rows, weight: view(norm, &graph).tensor, groups: heads, epsilon: 1e-6,
                                output: rows)))
                }
            }
            let rotated = qkv.columns(0..<queryWidth + kvWidth)
            graph.add(
                .rope(
                    RoPE(
                        input: rotated, headDim: shape.headDim, table: table, position: position, output: rotated)))
            for (rows, cache) in [(keys, "keys"), (values, "values")] {
                graph.add(
                    .writeCache(CacheWrite(input: rows, cache: view(cache, &graph).tensor, position: position)))
            }
        }
        // A norm's values are of order 1; what a cache then rounds them to may be the neighbour of what it should be.
        let exact: Float = 1e-5
        let step: Float =
            switch type {
            case .bf16: 0x1p-8
            case .f16: 0x1p-11
            default: 0
            }
        for row in 0..<shape.tokens {
            // Keys that went through the cache alone need not be left in the rows.
            let width = queryWidth + gap + 2 * kvWidth
            let range = row * width..<row * width + queryWidth
            expectClose(found["qkv"].map { Array($0[range]) }, expected["qkv"].map { Array($0[range]) }, "queries") {
                _, value in exact * max(1, abs(value))
            }
        }
        for name in ["keys", "values"] {
            expectClose(found[name], expected[name], name) { _, value in
                exact * max(1, abs(value)) + (name == "values" ? 0 : step * abs(value))
            }
        }
    }
}
