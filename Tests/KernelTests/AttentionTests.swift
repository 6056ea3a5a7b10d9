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

    /// Which of its kernels a device takes.
    enum Kernels {
        /// Its own, as far as these are not for matrix units.
        case own
        /// Those of devices that don't load lane by lane, without matrix units.
        case general
        case matrixUnits

        static let all = [own, general] + (TestDevice.hasMatrixUnits ? [matrixUnits] : [])

        var loadsByLane: Bool? { self == .own ? nil : false }
        var matrixUnits: Bool { self == .matrixUnits }
        /// Of a cache that they all take.
        var cacheType: ElementType { self == .matrixUnits ? .f16 : .f32 }
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

    @Test("prefill and decode", arguments: shapes, [ElementType.f32, .f16, .bf16, .q8_0])
    func attention(_ shape: Shape, _ type: ElementType) throws {
        if type == .q8_0, shape.headDim % 32 != 0 { return }
        for kernels in [Kernels.own, .general] { try attention(shape, type, kernels) }
    }

    /// Workgroups there have 32 or 64 rows, blocks 32 keys.
    @Test(
        "prefill on matrix units",
        .enabled(if: TestDevice.hasMatrixUnits, "the device has none, or this build no kernels for them"),
        arguments: [
            (Shape(tokens: 17, position: 0, heads: 1, kvHeads: 1, headDim: 24), ElementType.bf16),
            (Shape(tokens: 129, position: 0, heads: 4, kvHeads: 2, headDim: 80), .bf16),
            (Shape(tokens: 70, position: 200, heads: 4, kvHeads: 2, headDim: 128), .f16),
        ])
    func attentionOnMatrixUnits(_ shape: Shape, _ type: ElementType) throws {
        try attention(shape, type, .matrixUnits)
    }

    private func attention(_ shape: Shape, _ type: ElementType, _ kernels: Kernels) throws {
        var generator = SeededGenerator(seed: UInt64(shape.tokens + shape.headDim))
        let capacity = shape.position + shape.tokens + 5
        let width = shape.heads * shape.headDim
        var bench = KernelBench()
        bench.random("q", .init(rows: shape.tokens, columns: width + 8), using: &generator)
        let cache = TensorShape(batch: shape.kvHeads, rows: capacity, columns: shape.headDim)
        bench.random("k", cache, type, using: &generator)
        bench.random("v", cache, type, using: &generator)
        bench.random("o", .init(rows: shape.tokens, columns: width), using: &generator)
        // The queries are of some tokens after the one at the position.
        let firstToken = shape.position / 3
        bench.counter("position", shape.position - firstToken)
        let (found, expected) = try bench.run(loadsByLane: kernels.loadsByLane, matrixUnits: kernels.matrixUnits) {
            graph, view in
            let (q, k, v) = (view("q", &graph), view("k", &graph), view("v", &graph))
            let (o, position) = (view("o", &graph), view("position", &graph))
            graph.add(
                .attention(
                    Attention(
                        queries: q.columns(8..<width + 8), keys: k.tensor, values: v.tensor, heads: shape.heads,
                        scale: 1 / Float(shape.headDim).squareRoot(), position: position, firstToken: firstToken,
                        output: o)))
        }
        let tolerance = tolerance(headDim: shape.headDim, keys: capacity)
        expectClose(found["o"], expected["o"], "output") { _, _ in tolerance }
    }

    /// For a scale of `1 / sqrt(headDim)`: the scores' error shifts every weight by that factor; the weighted mean of values
    /// below 1 follows.
    private func tolerance(headDim: Int, keys: Int) -> Float {
        let scores = Tolerance.sum(headDim) / Float(headDim).squareRoot()
        return 2 * scores + 64 * Tolerance.unit + Float(keys).squareRoot() * 4 * Tolerance.unit
    }

    /// Each shape is cut into slices. With few KV heads a slice is a block of 64 keys; with many, slices are longer as keys get
    /// more.
    @Test(
        "few rows and many over a long cache, by one plan at growing positions",
        arguments: [
            Shape(tokens: 1, position: 0, heads: 4, kvHeads: 2, headDim: 64),
            Shape(tokens: 3, position: 0, heads: 7, kvHeads: 1, headDim: 128),
            Shape(tokens: 2, position: 0, heads: 1, kvHeads: 1, headDim: 256),
            Shape(tokens: 1, position: 0, heads: 64, kvHeads: 64, headDim: 8),
            Shape(tokens: 5, position: 0, heads: 64, kvHeads: 32, headDim: 32),
            Shape(tokens: 9, position: 0, heads: 14, kvHeads: 2, headDim: 64),
            Shape(tokens: 40, position: 0, heads: 2, kvHeads: 2, headDim: 80),
            Shape(tokens: 33, position: 0, heads: 1, kvHeads: 1, headDim: 256),
            Shape(tokens: 17, position: 0, heads: 32, kvHeads: 32, headDim: 8),
        ])
    func slices(_ shape: Shape) throws { try slices(shape, .general) }

    @Test(
        "slices on matrix units",
        .enabled(if: TestDevice.hasMatrixUnits, "the device has none, or this build no kernels for them"),
        arguments: [
            Shape(tokens: 9, position: 0, heads: 14, kvHeads: 2, headDim: 64),
            Shape(tokens: 17, position: 0, heads: 32, kvHeads: 32, headDim: 8),
        ])
    func slicesOnMatrixUnits(_ shape: Shape) throws { try slices(shape, .matrixUnits) }

    private func slices(_ shape: Shape, _ kernels: Kernels) throws {
        var generator = SeededGenerator(seed: 21)
        let (capacity, width) = (700, shape.heads * shape.headDim)
        var bench = KernelBench()
        bench.random("q", .init(rows: shape.tokens, columns: width), using: &generator)
        let cache = TensorShape(batch: shape.kvHeads, rows: capacity, columns: shape.headDim)
        bench.random("k", cache, .f16, using: &generator)
        bench.random("v", cache, .f16, using: &generator)
        bench.random("o", .init(rows: shape.tokens, columns: width), using: &generator)
        bench.counter("position", 0)
        let positions = [0, 61, 62, 63, 64, 127, 128, 191, 192, 255, 256, 447, 448, 512, 513, capacity - shape.tokens]
        let runs = try bench.run(
            ["position": positions], loadsByLane: kernels.loadsByLane, matrixUnits: kernels.matrixUnits
        ) { graph, view in
            let (q, k, v) = (view("q", &graph), view("k", &graph), view("v", &graph))
            let (o, position) = (view("o", &graph), view("position", &graph))
            graph.add(
                .attention(
                    Attention(
                        queries: q, keys: k.tensor, values: v.tensor, heads: shape.heads,
                        scale: 1 / Float(shape.headDim).squareRoot(), position: position, output: o)))
        }
        let tolerance = tolerance(headDim: shape.headDim, keys: capacity)
        for (run, position) in zip(runs, positions) {
            expectClose(run.found["o"], run.expected["o"], "output at \(position)") { _, _ in tolerance }
        }
    }

    /// Each has a cache and a position of its own, and none waits for another. More of them than there is temporary memory for
    /// at once.
    @Test("sequences side by side")
    func sequences() throws {
        var generator = SeededGenerator(seed: 22)
        let (capacity, width, count) = (300, 64, 12)
        var bench = KernelBench()
        bench.random("q", .init(rows: count, columns: width), using: &generator)
        bench.random("o", .init(rows: count, columns: width), using: &generator)
        let cache = TensorShape(batch: 2, rows: capacity, columns: 32)
        for sequence in 0..<count {
            bench.random("k\(sequence)", cache, .f16, using: &generator)
            bench.random("v\(sequence)", cache, .f16, using: &generator)
            bench.counter("position\(sequence)", sequence * 27)
        }
        let runs = try bench.run(
            ["position0": [0, 150, 299], "position5": [135, 140, 5]], loadsByLane: false, matrixUnits: false
        ) { graph, view in
            let (q, o) = (view("q", &graph), view("o", &graph))
            for sequence in 0..<count {
                let (k, v) = (view("k\(sequence)", &graph), view("v\(sequence)", &graph))
                let rows = sequence..<sequence + 1
                graph.add(
                    .attention(
                        Attention(
                            queries: q.rows(rows), keys: k.tensor, values: v.tensor, heads: 2,
                            scale: 1 / Float(32).squareRoot(), position: view("position\(sequence)", &graph),
                            output: o.rows(rows))))
            }
        }
        let tolerance = tolerance(headDim: 32, keys: capacity)
        for run in runs { expectClose(run.found["o"], run.expected["o"], "output") { _, _ in tolerance } }
    }

    /// Flagged keys are large: one that is weighed in shows.
    @Test(
        "slices that are padding from end to end weigh nothing",
        arguments: [[64..<128], [0..<192], [0..<256], [128..<300], [0..<64, 130..<250]], [4, 19])
    func hiddenSlices(_ hidden: [Range<Int>], tokens: Int) throws {
        for kernels in Kernels.all where kernels != .own { try hiddenSlices(hidden, tokens: tokens, kernels) }
    }

    private func hiddenSlices(_ hidden: [Range<Int>], tokens: Int, _ kernels: Kernels) throws {
        var generator = SeededGenerator(seed: 23)
        let (capacity, width) = (300, 128)
        var bench = KernelBench()
        bench.random("q", .init(rows: tokens, columns: width), using: &generator)
        bench.random("v", .init(batch: 2, rows: capacity, columns: 64), kernels.cacheType, using: &generator)
        bench.random("o", .init(rows: tokens, columns: width), using: &generator)
        bench.counter("position", 0)
        let isHidden = (0..<capacity).map { key in hidden.contains { $0.contains(key) } }
        let keys = generator.floats(2 * capacity * 64).enumerated().map { isHidden[$0 / 64 % capacity] ? 10 * $1 : $1 }
        bench.add("k", .init(batch: 2, rows: capacity, columns: 64), kernels.cacheType, keys)
        bench.add("padding", .init(columns: capacity), .u32, isHidden.map { $0 ? 1 : 0 })
        let positions = [0, 60, 63, 126, 190, 254, capacity - tokens]
        let runs = try bench.run(
            ["position": positions], loadsByLane: kernels.loadsByLane, matrixUnits: kernels.matrixUnits
        ) { graph, view in
            let (q, k, v) = (view("q", &graph), view("k", &graph), view("v", &graph))
            let (o, position, padding) = (view("o", &graph), view("position", &graph), view("padding", &graph))
            graph.add(
                .attention(
                    Attention(
                        queries: q, keys: k.tensor, values: v.tensor, heads: 2, scale: 1 / 8, position: position,
                        padding: padding.tensor, output: o)))
        }
        let tolerance = tolerance(headDim: 64, keys: capacity)
        for (run, position) in zip(runs, positions) {
            expectClose(run.found["o"], run.expected["o"], "output at \(position)") { _, _ in tolerance }
            for token in 0..<tokens where isHidden.prefix(position + token + 1).allSatisfy(\.self) {
                let row = run.found["o"]?[token * width..<(token + 1) * width] ?? []
                #expect(row.allSatisfy { $0 == 0 }, "token \(token) at \(position) sees nothing")
            }
        }
    }

    @Test("large scores do not overflow", arguments: Kernels.all, [5, 20])
    func largeScores(_ kernels: Kernels, tokens: Int) throws {
        var generator = SeededGenerator(seed: 3)
        var bench = KernelBench()
        bench.random("q", .init(rows: tokens, columns: 64), using: &generator, scale: 300)
        bench.random("k", .init(batch: 2, rows: 80, columns: 32), kernels.cacheType, using: &generator, scale: 300)
        bench.random("v", .init(batch: 2, rows: 80, columns: 32), kernels.cacheType, using: &generator)
        bench.random("o", .init(rows: tokens, columns: 64), using: &generator)
        bench.counter("position", 75 - tokens)
        let (found, expected) = try bench.run(loadsByLane: kernels.loadsByLane, matrixUnits: kernels.matrixUnits) {
            graph, view in
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
        for kernels in [Kernels.own, .general] { try padding(firstVisible: firstVisible, kernels) }
    }

    private func padding(firstVisible: Int, _ kernels: Kernels) throws {
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
        let (found, expected) = try bench.run(loadsByLane: kernels.loadsByLane, matrixUnits: false) { graph, view in
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

    /// Rounding moves a key's element by d / 2 at most, so a score by `scale * sum|q| * d / 2`; a weight by twice that as a
    /// factor, since the sum it is divided by moves too; and a value by its own d / 2.
    @Test("a q8_0 cache is as close to float32 as its blocks allow", arguments: [(1, 90), (20, 0), (33, 64)])
    func eightBits(_ tokens: Int, _ position: Int) throws {
        var generator = SeededGenerator(seed: 12)
        let (heads, headDim, capacity) = (4, 64, position + tokens)
        let cache = TensorShape(batch: 2, rows: capacity, columns: headDim)
        var bench = KernelBench()
        bench.random("q", .init(rows: tokens, columns: heads * headDim), using: &generator, scale: 0.5)
        for name in ["k", "v"] {
            let values = generator.floats(cache.count)
            bench.add(name, cache, .f32, values)
            bench.add("\(name)8", cache, .q8_0, values)
        }
        bench.random("o", .init(rows: tokens, columns: heads * headDim), using: &generator)
        bench.random("o8", .init(rows: tokens, columns: heads * headDim), using: &generator)
        bench.counter("position", position)
        let queries = bench.tensors[0].values
        let scale = 1 / Float(headDim).squareRoot()
        let (found, _) = try bench.run { graph, view in
            let position = view("position", &graph)
            for suffix in ["", "8"] {
                let (q, o) = (view("q", &graph), view("o\(suffix)", &graph))
                let (k, v) = (view("k\(suffix)", &graph), view("v\(suffix)", &graph))
                graph.add(
                    .attention(
                        Attention(
                            queries: q, keys: k.tensor, values: v.tensor, heads: heads, scale: scale,
                            position: position, output: o)))
            }
        }
        // Elements are below 1 in magnitude, so d is at most 1/127, and what rounding to f16 adds.
        let half: Float = 0.5 / 127 * (1 + 0x1p-10)
        expectClose(found["o8"], found["o"], "output") { index, _ in
            let head = queries[index / headDim * headDim..<(index / headDim + 1) * headDim]
            let score = scale * head.reduce(0) { $0 + abs($1) } * half
            return 2 * score * (1 + 2 * score) + half + 1e-5
        }
        #expect(found["o8"] != found["o"])
    }
}
