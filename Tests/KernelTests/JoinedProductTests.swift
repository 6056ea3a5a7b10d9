import Inference
import Testing
import VulkanBackend

/// Products with the norm before them and the gate after them, which the device may run as one launch.
@Suite(.serialized)
struct JoinedProductTests {
    static let shapes = [
        ProductShape(tokens: 1, inputs: 1, outputs: 1), ProductShape(tokens: 1, inputs: 45, outputs: 14),
        ProductShape(tokens: 1, inputs: 1100, outputs: 70), ProductShape(tokens: 6, inputs: 77, outputs: 40),
        ProductShape(tokens: 8, inputs: 600, outputs: 7), ProductShape(tokens: 9, inputs: 40, outputs: 33),
        ProductShape(tokens: 12, inputs: 1100, outputs: 70),
    ]

    @Test("a norm and the product of it", arguments: shapes, [ElementType.f32, .bf16, .q8_0, .q4_0])
    func norm(_ shape: ProductShape, _ type: ElementType) throws {
        try compare(shape, type, isGated: false, readsNormTwice: false)
    }

    @Test("a norm, a product and what it gates", arguments: shapes, [ElementType.f16, .q8_0])
    func gate(_ shape: ProductShape, _ type: ElementType) throws {
        try compare(shape, type, isGated: true, readsNormTwice: false)
    }

    @Test("a norm that two products read")
    func readTwice() throws {
        try compare(Self.shapes[3], .f16, isGated: false, readsNormTwice: true)
        try compare(Self.shapes[1], .f16, isGated: true, readsNormTwice: true)
    }

    @Test("as one launch where tokens are few, by devices that don't load lane by lane", arguments: [1, 8, 9])
    func launches(_ tokens: Int) throws {
        var options = VulkanBackendOptions()
        options.profiles = true
        options.loadsByLane = false
        let backend = VulkanBackend(try TestDevice.device(), options: options)
        var bindings: [String: any StoredTensor] = [:]
        for (name, shape) in [
            ("x", TensorShape(rows: tokens, columns: 16)), ("g", TensorShape(columns: 16)),
            ("w", TensorShape(rows: 24, columns: 16)), ("y", TensorShape(rows: tokens, columns: 12)),
        ] {
            bindings[name] = try backend.makeRandomTensor(name, shape, .f32, seed: 1, scale: 1)
        }
        try backend.resetTimings()
        var graph = Graph(name: "joined")
        func view(_ name: String) throws -> TensorView { graph.boundView(try #require(bindings[name])) }
        let normed = graph.scratch("normed", TensorShape(rows: tokens, columns: 16))
        let product = graph.scratch("product", TensorShape(rows: tokens, columns: 24))
        graph.add(
            .rmsNorm(
                RMSNorm(input: try view("x"), weight: try view("g").tensor, groups: 1, epsilon: 1e-6, output: normed)))
        graph.add(.linear(Linear(input: normed, weight: try view("w").tensor, activation: .none, output: product)))
        graph.add(.swiGLU(SwiGLU(input: product, output: try view("y"))))
        let plan = try backend.compile(graph)
        try backend.wait(backend.execute(plan, inputs: [], phase: .decode))
        let calls = try backend.kernelProfile().reduce(0) { $0 + $1.calls }
        #expect(calls == (tokens <= 8 ? 1 : 2))
    }

    /// - Parameter readsNormTwice: a second product, `z`, reads it too.
    private func compare(_ shape: ProductShape, _ type: ElementType, isGated: Bool, readsNormTwice: Bool) throws {
        for loadsByLane in [nil, false] {
            var generator = SeededGenerator(seed: UInt64(shape.inputs + shape.outputs))
            var bench = KernelBench()
            // Columns behind the input's are no part of it.
            bench.random("x", .init(rows: shape.tokens, columns: shape.inputs + 13), using: &generator, scale: 3)
            bench.random("g", .init(columns: shape.inputs), using: &generator)
            let rows = (isGated ? 2 : 1) * shape.outputs
            bench.random("w", .init(rows: rows, columns: shape.inputs), type, using: &generator)
            bench.random("v", .init(rows: shape.outputs, columns: shape.inputs), type, using: &generator)
            bench.random("b", .init(columns: rows), using: &generator)
            for name in ["y", "z"] {
                bench.random(name, .init(rows: shape.tokens, columns: shape.outputs), using: &generator)
            }
            let (found, expected) = try bench.run(loadsByLane: loadsByLane) { graph, view in
                let (x, w, y) = (view("x", &graph), view("w", &graph), view("y", &graph))
                let normed = graph.scratch("normed", .init(rows: shape.tokens, columns: shape.inputs))
                graph.add(
                    .rmsNorm(
                        RMSNorm(
                            input: x.columns(0..<shape.inputs), weight: view("g", &graph).tensor, groups: 1,
                            epsilon: 1e-3, output: normed)))
                if isGated {
                    let product = graph.scratch("product", .init(rows: shape.tokens, columns: rows))
                    graph.add(.linear(Linear(input: normed, weight: w.tensor, activation: .none, output: product)))
                    graph.add(.swiGLU(SwiGLU(input: product, output: y)))
                } else {
                    graph.add(
                        .linear(
                            Linear(
                                input: normed, weight: w.tensor, bias: view("b", &graph).tensor, activation: .none,
                                output: y)))
                }
                if readsNormTwice {
                    let (v, z) = (view("v", &graph), view("z", &graph))
                    graph.add(.linear(Linear(input: normed, weight: v.tensor, activation: .none, output: z)))
                }
            }
            // A normed value is of order 1, and off by some units in its last place more than a plain one.
            for name in ["y", "z"] {
                expectClose(found[name], expected[name], name) { _, value in
                    isGated
                        ? Tolerance.sum(shape.inputs) * 60 + abs(value) * 80 * Tolerance.unit
                        : 3 * Tolerance.sum(shape.inputs) + Tolerance.relative(value)
                }
            }
        }
    }
}
