import Inference
import Testing

@Suite(.serialized)
struct AttentionTests {
    struct Shape: CustomTestStringConvertible {
        var tokens: Int
        var position: Int
        var heads: Int
        var kvHeads: Int
        var headDim: Int

        var testDescription: String { "\(tokens) at \(position), \(heads)/\(kvHeads) heads of \(headDim)" }
    }

    static let shapes = [
        Shape(tokens: 1, position: 0, heads: 2, kvHeads: 2, headDim: 16),
        Shape(tokens: 1, position: 200, heads: 16, kvHeads: 8, headDim: 128),
        Shape(tokens: 7, position: 0, heads: 14, kvHeads: 2, headDim: 64),
        Shape(tokens: 33, position: 64, heads: 8, kvHeads: 1, headDim: 32),
        Shape(tokens: 129, position: 0, heads: 4, kvHeads: 2, headDim: 80),
        Shape(tokens: 129, position: 63, heads: 3, kvHeads: 3, headDim: 256),
        Shape(tokens: 2, position: 127, heads: 1, kvHeads: 1, headDim: 24),
    ]

    @Test("prefill and decode", arguments: shapes, [ElementType.f32, .f16, .bf16])
    func attention(_ shape: Shape, _ type: ElementType) throws {
        for loadsByLane in [nil, false] { try attention(shape, type, loadsByLane: loadsByLane) }
    }

    private func attention(_ shape: Shape, _ type: ElementType, loadsByLane: Bool?) throws {
        var generator = SeededGenerator(seed: UInt64(shape.tokens + shape.headDim))
        let capacity = shape.position + shape.tokens + 5
        let width = shape.heads * shape.headDim
        var bench = KernelBench()
        bench.random("q", .init(rows: shape.tokens, columns: width + 8), using: &generator)
        let cache = TensorShape(batch: shape.kvHeads, rows: capacity, columns: shape.headDim)
        bench.random("k", cache, type, using: &generator)
        bench.random("v", cache, type, using: &generator)
        bench.random("o", .init(rows: shape.tokens, columns: width), using: &generator)
        bench.counter("position", shape.position)
        let (found, expected) = try bench.run(loadsByLane: loadsByLane) { graph, view in
            let (q, k, v) = (view("q", &graph), view("k", &graph), view("v", &graph))
            let (o, position) = (view("o", &graph), view("position", &graph))
            graph.add(
                .attention(
                    Attention(
                        queries: q.columns(8..<width + 8), keys: k.tensor, values: v.tensor, heads: shape.heads,
                        scale: 1 / Float(shape.headDim).squareRoot(), position: position, output: o)))
        }
        // The scores' error shifts every weight by that factor; the weighted mean of values below 1 follows.
        let scores = Tolerance.sum(shape.headDim) / Float(shape.headDim).squareRoot()
        expectClose(found["o"], expected["o"], "output") { _, _ in
            2 * scores + 64 * Tolerance.unit + Float(capacity).squareRoot() * 4 * Tolerance.unit
        }
    }

    @Test("large scores do not overflow")
    func largeScores() throws {
        var generator = SeededGenerator(seed: 3)
        var bench = KernelBench()
        bench.random("q", .init(rows: 5, columns: 64), using: &generator, scale: 300)
        bench.random("k", .init(batch: 2, rows: 80, columns: 32), using: &generator, scale: 300)
        bench.random("v", .init(batch: 2, rows: 80, columns: 32), using: &generator)
        bench.random("o", .init(rows: 5, columns: 64), using: &generator)
        bench.counter("position", 70)
        let (found, expected) = try bench.run { graph, view in
            let (q, k, v) = (view("q", &graph), view("k", &graph), view("v", &graph))
            let (o, position) = (view("o", &graph), view("position", &graph))
            graph.add(
                .attention(
                    Attention(
                        queries: q, keys: k.tensor, values: v.tensor, heads: 2, scale: 0.2, position: position,
                        output: o)))
        }
        // Scores reach some 1e5, where float32 resolves 2^-7: weights of near-ties differ by that factor.
        expectClose(found["o"], expected["o"], "output") { _, _ in 0x1p-5 }
    }

    /// Every flagged row is one that a kernel which forgot the flags would weigh in: keys there are large.
    @Test("padding rows are seen by no token, and who sees nothing gets zeros", arguments: [0, 1, 70])
    func padding(firstVisible: Int) throws {
        for loadsByLane in [nil, false] { try padding(firstVisible: firstVisible, loadsByLane: loadsByLane) }
    }

    private func padding(firstVisible: Int, loadsByLane: Bool?) throws {
        var generator = SeededGenerator(seed: 8)
        let (tokens, position, capacity, width) = (9, 66, 80, 64)
        var bench = KernelBench()
        bench.random("q", .init(rows: tokens, columns: width), using: &generator)
        bench.random("k", .init(batch: 2, rows: capacity, columns: 32), using: &generator, scale: 4)
        bench.random("v", .init(batch: 2, rows: capacity, columns: 32), using: &generator)
        bench.random("o", .init(rows: tokens, columns: width), using: &generator)
        bench.counter("position", position)
        let flags = (0..<capacity).map { $0 < firstVisible || $0 % 3 == 2 ? Float(1) : 0 }
        bench.add("padding", .init(columns: capacity), .u32, flags)
        let (found, expected) = try bench.run(loadsByLane: loadsByLane) { graph, view in
            let (q, k, v) = (view("q", &graph), view("k", &graph), view("v", &graph))
            let (o, position, padding) = (view("o", &graph), view("position", &graph), view("padding", &graph))
            graph.add(
                .attention(
                    Attention(
                        queries: q, keys: k.tensor, values: v.tensor, heads: 2, scale: 0.2, position: position,
                        padding: padding.tensor, output: o)))
        }
        expectClose(found["o"], expected["o"], "output") { _, _ in 256 * Tolerance.unit }
        // Tokens at rows 66 to 69 see nothing when the first visible row is 70.
        let blind = found["o"]?.prefix(max(0, firstVisible - position) * width) ?? []
        #expect(blind.allSatisfy { $0 == 0 })
    }
}
