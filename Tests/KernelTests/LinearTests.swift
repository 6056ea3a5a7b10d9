import Inference
import Testing

@Suite(.serialized)
struct LinearTests {
    static let shapes = [
        ProductShape(tokens: 1, inputs: 64, outputs: 48), ProductShape(tokens: 1, inputs: 1, outputs: 1),
        ProductShape(tokens: 7, inputs: 33, outputs: 100), ProductShape(tokens: 33, inputs: 100, outputs: 33),
        ProductShape(tokens: 129, inputs: 24, outputs: 257), ProductShape(tokens: 9, inputs: 896, outputs: 7),
        ProductShape(tokens: 1, inputs: 1152, outputs: 515), ProductShape(tokens: 8, inputs: 7, outputs: 256),
        ProductShape(tokens: 10, inputs: 64, outputs: 9), ProductShape(tokens: 70, inputs: 77, outputs: 300),
        ProductShape(batch: 3, tokens: 5, inputs: 40, outputs: 19),
        ProductShape(batch: 2, tokens: 1, inputs: 9, outputs: 130),
        ProductShape(batch: 2, tokens: 2, inputs: 8, outputs: 70), ProductShape(tokens: 1, inputs: 33, outputs: 300),
        ProductShape(batch: 2, tokens: 1, inputs: 100, outputs: 64),
        ProductShape(tokens: 33, inputs: 1056, outputs: 40),
        // Loads of all invocations of the largest workgroup; more rows than some devices have workgroups.
        ProductShape(tokens: 1, inputs: 4104, outputs: 5), ProductShape(tokens: 3, inputs: 2050, outputs: 9),
        ProductShape(tokens: 1, inputs: 8, outputs: 140_000),
    ]

    @Test("products", arguments: shapes, [ElementType.f32, .f16, .bf16, .q8_0, .q4_0])
    func product(_ shape: ProductShape, _ type: ElementType) throws {
        for loadsByLane in [nil, false] {
            let (found, expected) = try KernelBench.product(shape, type, loadsByLane: loadsByLane)
            expectClose(found["y"], expected["y"], "y") { _, _ in Tolerance.sum(shape.inputs) }
            #expect(found["w"] == expected["w"])
        }
    }

    @Test("bias, GELU and a residual that is the output", arguments: [1, 6, 33], [Activation.none, .gelu])
    func epilogue(_ tokens: Int, _ activation: Activation) throws {
        for type in [ElementType.bf16, .q8_0, .q4_0] {
            for loadsByLane in [nil, false] {
                // 700 columns may be divided among workgroups.
                for inputs in [50, 700] {
                    try epilogue(tokens, activation, inputs, type, loadsByLane: loadsByLane)
                }
            }
        }
    }

    private func epilogue(
        _ tokens: Int, _ activation: Activation, _ inputs: Int, _ type: ElementType, loadsByLane: Bool?
    ) throws {
        var generator = SeededGenerator(seed: 7)
        var bench = KernelBench()
        bench.random("x", .init(batch: 2, rows: tokens, columns: inputs), using: &generator)
        bench.random("w", .init(batch: 2, rows: 70, columns: inputs), type, using: &generator)
        bench.random("b", .init(batch: 2, columns: 70), using: &generator)
        bench.random("y", .init(batch: 2, rows: tokens, columns: 70), using: &generator)
        let (found, expected) = try bench.run(loadsByLane: loadsByLane) { graph, view in
            let (x, w, y) = (view("x", &graph), view("w", &graph), view("y", &graph))
            let b = view("b", &graph)
            graph.add(
                .linear(
                    Linear(
                        input: x, weight: w.tensor, bias: b.tensor, activation: activation, residual: y, output: y)))
        }
        // GELU's error function is good to 1.5e-7, times a value of some units.
        expectClose(found["y"], expected["y"], "y") { _, value in
            Tolerance.sum(inputs) * 1.2 + Tolerance.relative(value) + 4e-6
        }
    }

    @Test(
        "column slices of wider tensors; nothing outside is written", arguments: [1, 10],
        [ElementType.f16, .q8_0, .q4_0])
    func slices(_ tokens: Int, _ type: ElementType) throws {
        var generator = SeededGenerator(seed: 8)
        var bench = KernelBench()
        bench.random("x", .init(rows: tokens, columns: 77), using: &generator)
        bench.random("w", .init(rows: 30, columns: 21), type, using: &generator)
        bench.random("y", .init(rows: tokens, columns: 91), using: &generator)
        let before = bench.tensors[2].values
        let (found, expected) = try bench.run { graph, view in
            let (x, w, y) = (view("x", &graph), view("w", &graph), view("y", &graph))
            graph.add(
                .linear(
                    Linear(
                        input: x.columns(16..<37), weight: w.tensor, bias: nil, activation: .none,
                        output: y.columns(5..<35))))
        }
        expectClose(found["y"], expected["y"], "y") { index, _ in
            (5..<35).contains(index % 91) ? Tolerance.sum(21) : 0
        }
        for index in before.indices where !(5..<35).contains(index % 91) {
            #expect(found["y"]?[index] == before[index])
        }
    }

    @Test("what lies behind the last column is never used", arguments: [1, 4], [ElementType.bf16, .q8_0, .q4_0])
    func padding(_ tokens: Int, _ type: ElementType) throws {
        var generator = SeededGenerator(seed: 9)
        var bench = KernelBench()
        var x = generator.floats(tokens * 16)
        // Columns 11 ... 15 are beyond the slice, and within the eight that are loaded at once.
        for row in 0..<tokens { for column in 11..<16 { x[row * 16 + column] = .nan } }
        bench.add("x", .init(rows: tokens, columns: 16), .f32, x)
        bench.random("w", .init(rows: 9, columns: 11), type, using: &generator)
        bench.random("y", .init(rows: tokens, columns: 9), using: &generator)
        let (found, expected) = try bench.run { graph, view in
            let (x, w, y) = (view("x", &graph), view("w", &graph), view("y", &graph))
            graph.add(
                .linear(
                    Linear(input: x.columns(0..<11), weight: w.tensor, bias: nil, activation: .none, output: y)))
        }
        expectClose(found["y"], expected["y"], "y") { _, _ in Tolerance.sum(11) }
    }
}
