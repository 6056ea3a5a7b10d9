import Inference
import Testing

/// Tensors larger than a device binds at once are split; that must not show.
@Suite(.serialized)
struct WindowTests {
    @Test("a weight in windows of rows, or of whole matrices", arguments: [2048, 9000, 70_000], [1, 12])
    func linear(_ bindingBytes: Int, _ tokens: Int) throws {
        for type in [ElementType.bf16, .q8_0, .q4_0] {
            try linear(bindingBytes, tokens, 50, 100, type, loadsByLane: nil)
            try linear(bindingBytes, tokens, 50, 100, type, loadsByLane: false)
        }
        // Whole tiles of rows, which may be interleaved.
        try linear(bindingBytes, tokens, 50, 104, .bf16, loadsByLane: nil)
        // Columns that may be divided among workgroups.
        try linear(4 * bindingBytes, tokens, 520, 100, .bf16, loadsByLane: false)
    }

    private func linear(
        _ bindingBytes: Int, _ tokens: Int, _ inputs: Int, _ outputs: Int, _ type: ElementType, loadsByLane: Bool?
    ) throws {
        var generator = SeededGenerator(seed: 4)
        var bench = KernelBench()
        bench.random("x", .init(batch: 3, rows: tokens, columns: inputs), using: &generator)
        bench.random("w", .init(batch: 3, rows: outputs, columns: inputs), type, using: &generator)
        bench.random("b", .init(batch: 3, columns: outputs), using: &generator)
        bench.random("y", .init(batch: 3, rows: tokens, columns: outputs), using: &generator)
        let (found, expected) = try bench.run(bindingBytes: bindingBytes, loadsByLane: loadsByLane) { graph, view in
            let (x, w, b, y) = (view("x", &graph), view("w", &graph), view("b", &graph), view("y", &graph))
            graph.add(
                .linear(
                    Linear(
                        input: x, weight: w.tensor, bias: b.tensor, activation: .none, residual: y, output: y)))
        }
        expectClose(found["y"], expected["y"], "y") { _, value in Tolerance.sum(inputs) + Tolerance.relative(value) }
    }

    @Test("an embedding table in windows", arguments: [1024, 5000], [ElementType.f16, .q8_0, .q4_0])
    func embed(_ bindingBytes: Int, _ type: ElementType) throws {
        for rows in [300, 304] { try embed(bindingBytes, rows: rows, type) }
    }

    private func embed(_ bindingBytes: Int, rows: Int, _ type: ElementType) throws {
        var generator = SeededGenerator(seed: 5)
        var bench = KernelBench()
        bench.random("table", .init(rows: rows, columns: 33), type, using: &generator)
        bench.add("ids", .init(columns: 7), .u32, [0, 299, 150, 7, 8, Float(rows), 42])
        bench.random("y", .init(rows: 7, columns: 33), using: &generator)
        let (found, expected) = try bench.run(bindingBytes: bindingBytes) { graph, view in
            let (table, ids, y) = (view("table", &graph), view("ids", &graph), view("y", &graph))
            graph.add(.embed(Embed(ids: ids, table: table.tensor, output: y)))
        }
        #expect(found["y"] == expected["y"])
    }

    @Test("caches in windows of heads", arguments: [ElementType.f32, .bf16, .q8_0], [nil, false])
    func caches(_ type: ElementType, loadsByLane: Bool?) throws {
        var generator = SeededGenerator(seed: 6)
        var bench = KernelBench()
        let headDim = type == .q8_0 ? 32 : 24
        let cache = TensorShape(batch: 5, rows: 20, columns: headDim)
        bench.random("k", cache, type, using: &generator)
        bench.random("v", cache, type, using: &generator)
        bench.random("x", .init(rows: 3, columns: 5 * headDim), using: &generator)
        bench.random("s", .init(rows: 3, columns: 5), using: &generator)
        bench.random("q", .init(rows: 3, columns: 10 * headDim), using: &generator)
        bench.random("o", .init(rows: 3, columns: 10 * headDim), using: &generator)
        bench.random("r", .init(rows: 3, columns: 5 * headDim), using: &generator)
        bench.counter("position", 15)
        // Two heads of float32, four of bfloat16 or three of q8_0, with the alignment of a window's start.
        let (found, expected) = try bench.run(bindingBytes: 2 * 20 * 24 * 4 + 256, loadsByLane: loadsByLane) {
            graph, view in
            let (k, v, x, s) = (view("k", &graph), view("v", &graph), view("x", &graph), view("s", &graph))
            let (q, o, r) = (view("q", &graph), view("o", &graph), view("r", &graph))
            let position = view("position", &graph)
            graph.add(.writeCache(CacheWrite(input: x, cache: k.tensor, position: position)))
            graph.add(.gatedAdd(GatedAdd(projected: x, scale: s, cache: v.tensor, position: position)))
            graph.add(.readCache(CacheRead(cache: v.tensor, position: position, output: r)))
            graph.add(
                .attention(
                    Attention(
                        queries: q, keys: k.tensor, values: v.tensor, heads: 10, scale: 0.2, position: position,
                        output: o)))
        }
        func tolerance(_ value: Float) -> Float {
            type == .q8_0 ? Tolerance.step(largest: 2) : Tolerance.rounded(value, to: type)
        }
        if type != .q8_0 { #expect(found["k"] == expected["k"]) }
        expectClose(found["k"], expected["k"], "k") { _, value in tolerance(value) }
        for name in ["v", "r"] {
            expectClose(found[name], expected[name], name) { _, value in
                tolerance(value) + 4 * Tolerance.unit
            }
        }
        // One unit in the last place of a value, where both sides rounded to neighbours, and the attention's own error.
        expectClose(found["o"], expected["o"], "o") { _, _ in tolerance(2) + 1e-5 }
    }

    @Test("what can't be split is an error that says so")
    func tooSmall() throws {
        var generator = SeededGenerator(seed: 6)
        var bench = KernelBench()
        bench.random("k", .init(batch: 1, rows: 200, columns: 24), using: &generator)
        bench.random("r", .init(rows: 3, columns: 24), using: &generator)
        bench.counter("position", 0)
        #expect(throws: InferenceError.self) {
            _ = try bench.run(bindingBytes: 1024) { graph, view in
                let (k, r, position) = (view("k", &graph), view("r", &graph), view("position", &graph))
                graph.add(.readCache(CacheRead(cache: k.tensor, position: position, output: r)))
            }
        }
    }
}
