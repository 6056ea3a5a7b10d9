import Inference
import Testing
import VulkanBackend

/// Products on a device's matrix units. Shapes have edges in each direction: tiles are of 64 or 128 rows and 64 tokens, slices
/// of 32 or 64 columns.
@Suite(.serialized, .enabled(if: TestDevice.hasMatrixUnits, "the device has none, or this build no kernels for them"))
struct MatrixUnitsTests {
    static let shapes = [
        ProductShape(tokens: 9, inputs: 1, outputs: 1), ProductShape(tokens: 64, inputs: 64, outputs: 64),
        ProductShape(tokens: 65, inputs: 65, outputs: 65), ProductShape(tokens: 63, inputs: 200, outputs: 127),
        ProductShape(tokens: 130, inputs: 31, outputs: 257), ProductShape(tokens: 10, inputs: 896, outputs: 20),
        ProductShape(batch: 3, tokens: 17, inputs: 72, outputs: 70),
    ]

    /// So many products that they run in the wider tile, on devices of at most 160 cores.
    static let many = [
        ProductShape(batch: 240, tokens: 9, inputs: 40, outputs: 100),
        ProductShape(tokens: 1550, inputs: 70, outputs: 1200),
    ]

    @Test("products", arguments: shapes, [ElementType.f32, .f16, .bf16, .q8_0, .q4_0])
    func product(_ shape: ProductShape, _ type: ElementType) throws {
        try compare(shape, type) { _ in Tolerance.sum(shape.inputs) }
    }

    @Test("products in the wider tile", arguments: many, [ElementType.f16, .q8_0])
    func wideProduct(_ shape: ProductShape, _ type: ElementType) throws {
        try compare(shape, type) { _ in Tolerance.sum(shape.inputs) }
    }

    /// Values far below and above what float16 is good for.
    @Test("activations of any size", arguments: [Float(1e-4), 1e5], [ElementType.f16, .f32])
    func scales(_ scale: Float, _ type: ElementType) throws {
        let shape = ProductShape(tokens: 20, inputs: 100, outputs: 70)
        try compare(shape, type, scale: scale) { _ in scale * Tolerance.sum(shape.inputs) }
    }

    private func compare(
        _ shape: ProductShape, _ type: ElementType, scale: Float = 1, tolerance: (Float) -> Float
    ) throws {
        let (found, expected) = try KernelBench.product(
            shape, type, scale: scale, loadsByLane: false, matrixUnits: true)
        expectClose(found["y"], expected["y"], "y") { _, value in tolerance(value) }
    }

    @Test(
        "gated by the first half of the rows", arguments: shapes.filter { $0.batch == 1 } + many[1...],
        [ElementType.f16, .q8_0])
    func gated(_ shape: ProductShape, _ type: ElementType) throws {
        var generator = SeededGenerator(seed: UInt64(shape.inputs * 17 + shape.outputs))
        var bench = KernelBench()
        bench.random("x", .init(rows: shape.tokens, columns: shape.inputs), using: &generator)
        bench.random("w", .init(rows: 2 * shape.outputs, columns: shape.inputs), type, using: &generator)
        bench.random("y", .init(rows: shape.tokens, columns: shape.outputs), using: &generator)
        let (found, expected) = try bench.run(loadsByLane: false, matrixUnits: true) { graph, view in
            let (x, w, y) = (view("x", &graph), view("w", &graph), view("y", &graph))
            let product = graph.scratch("product", .init(rows: shape.tokens, columns: 2 * shape.outputs))
            graph.add(.linear(Linear(input: x, weight: w.tensor, activation: .none, output: product)))
            graph.add(.swiGLU(SwiGLU(input: product, output: y)))
        }
        // Each factor is off by a sum's error, times the other one.
        let largest = Float(shape.inputs).squareRoot() * 2
        expectClose(found["y"], expected["y"], "y") { _, value in
            2 * largest * Tolerance.sum(shape.inputs) + Tolerance.relative(value)
        }
    }

    @Test("bias, GELU and a residual that is the output", arguments: [ElementType.bf16, .q4_0])
    func epilogue(_ type: ElementType) throws {
        var generator = SeededGenerator(seed: 7)
        var bench = KernelBench()
        bench.random("x", .init(batch: 2, rows: 70, columns: 50), using: &generator)
        bench.random("w", .init(batch: 2, rows: 70, columns: 50), type, using: &generator)
        bench.random("b", .init(batch: 2, columns: 70), using: &generator)
        bench.random("y", .init(batch: 2, rows: 70, columns: 70), using: &generator)
        let (found, expected) = try bench.run(loadsByLane: false, matrixUnits: true) { graph, view in
            let (x, w, b, y) = (view("x", &graph), view("w", &graph), view("b", &graph), view("y", &graph))
            graph.add(
                .linear(Linear(input: x, weight: w.tensor, bias: b.tensor, activation: .gelu, residual: y, output: y)))
        }
        // GELU's error function is good to 1.5e-7, times a value of some units.
        expectClose(found["y"], expected["y"], "y") { _, value in
            Tolerance.sum(50) * 1.2 + Tolerance.relative(value) + 4e-6
        }
    }

    @Test("nothing behind the last column is used, and nothing outside the output written", arguments: [11, 24, 75])
    func slices(_ columns: Int) throws {
        for type in [ElementType.f16, .bf16, .q8_0, .q4_0] {
            let tokens = 20
            var generator = SeededGenerator(seed: 9)
            var bench = KernelBench()
            var x = generator.floats(tokens * 96)
            for index in x.indices where !(8..<8 + columns).contains(index % 96) { x[index] = .nan }
            bench.add("x", .init(rows: tokens, columns: 96), .f32, x)
            bench.random("w", .init(rows: 70, columns: columns), type, using: &generator)
            bench.random("y", .init(rows: tokens + 3, columns: 91), using: &generator)
            let before = bench.tensors[2].values
            let (found, expected) = try bench.run(loadsByLane: false, matrixUnits: true) { graph, view in
                let (x, w, y) = (view("x", &graph), view("w", &graph), view("y", &graph))
                graph.add(
                    .linear(
                        Linear(
                            input: x.columns(8..<8 + columns), weight: w.tensor, activation: .none,
                            output: y.rows(1..<1 + tokens).columns(5..<75))))
            }
            func isWritten(_ index: Int) -> Bool {
                (1..<1 + tokens).contains(index / 91) && (5..<75).contains(index % 91)
            }
            expectClose(found["y"], expected["y"], "y") { index, _ in isWritten(index) ? Tolerance.sum(columns) : 0 }
            for index in before.indices where !isWritten(index) {
                #expect(found["y"]?[index] == before[index])
            }
        }
    }

    @Test("a weight in windows of rows, or of whole matrices", arguments: [9000, 70_000])
    func windows(_ bindingBytes: Int) throws {
        var generator = SeededGenerator(seed: 4)
        var bench = KernelBench()
        bench.random("x", .init(batch: 3, rows: 12, columns: 50), using: &generator)
        bench.random("w", .init(batch: 3, rows: 100, columns: 50), .bf16, using: &generator)
        bench.random("y", .init(batch: 3, rows: 12, columns: 100), using: &generator)
        let (found, expected) = try bench.run(bindingBytes: bindingBytes, loadsByLane: false, matrixUnits: true) {
            graph, view in
            let (x, w, y) = (view("x", &graph), view("w", &graph), view("y", &graph))
            graph.add(.linear(Linear(input: x, weight: w.tensor, activation: .none, output: y)))
        }
        expectClose(found["y"], expected["y"], "y") { _, _ in Tolerance.sum(50) }
    }

    @Test("the check before they are used finds them right")
    func check() throws {
        #expect(try TestDevice.usesMatrixUnits(unchecked: false))
    }
}
