import Foundation
import Inference
import Testing
import VulkanBackend

/// Products of quantized weights with one token on products of 8-bit integers, on devices that have these, fast or not.
@Suite(.serialized, .enabled(if: TestDevice.hasIntegerProducts, "the device has none"))
struct IntegerProductsTests {
    /// From one column to more than digits in 32 KiB are for, which another kernel takes; and enough rows for workgroups of two
    /// and four tiles, on devices of at most 160 cores, the last ones in part.
    static let shapes = [
        ProductShape(tokens: 1, inputs: 1, outputs: 1), ProductShape(tokens: 1, inputs: 64, outputs: 48),
        ProductShape(tokens: 1, inputs: 33, outputs: 300), ProductShape(tokens: 1, inputs: 1152, outputs: 515),
        ProductShape(tokens: 1, inputs: 4104, outputs: 5), ProductShape(tokens: 1, inputs: 12_000, outputs: 9),
        ProductShape(batch: 3, tokens: 1, inputs: 100, outputs: 70),
        ProductShape(tokens: 1, inputs: 40, outputs: 5201), ProductShape(tokens: 1, inputs: 70, outputs: 10_250),
        ProductShape(tokens: 1, inputs: 8, outputs: 300_000),
    ]

    private func compare(
        _ shape: ProductShape, _ type: ElementType, scale: Float = 1, zeros: Range<Int> = 0..<0,
        bindingBytes: Int? = nil, bound: Float
    ) throws {
        let (found, expected) = try KernelBench.product(
            shape, type, scale: scale, changing: { x in for column in zeros { x[column] = 0 } },
            bindingBytes: bindingBytes, loadsByLane: false, integerProducts: true)
        expectClose(found["y"], expected["y"], "y") { _, _ in bound }
    }

    @Test("products are as close as those of float32", arguments: shapes, [ElementType.q8_0, .q4_0])
    func product(_ shape: ProductShape, _ type: ElementType) throws {
        try compare(shape, type, bound: Tolerance.sum(shape.inputs))
    }

    @Test("activations of any size", arguments: [Float(1e-28), 1e-4, 1e5, 1e30], [ElementType.q8_0, .q4_0])
    func scales(_ scale: Float, _ type: ElementType) throws {
        let shape = ProductShape(tokens: 1, inputs: 100, outputs: 70)
        try compare(shape, type, scale: scale, bound: scale * Tolerance.sum(100))
    }

    /// An integer is off by half at most, here of a scale as if 2^-100 were the block's largest.
    @Test("activations next to nothing", arguments: [ElementType.q8_0, .q4_0])
    func tiny(_ type: ElementType) throws {
        try compare(
            ProductShape(tokens: 1, inputs: 100, outputs: 70), type, scale: 1e-33, bound: 50 * 0x1p-100 / 4_161_280)
    }

    @Test("blocks of zeros", arguments: [ElementType.q8_0, .q4_0])
    func zeros(_ type: ElementType) throws {
        let shape = ProductShape(tokens: 1, inputs: 64, outputs: 40)
        try compare(shape, type, zeros: 0..<32, bound: Tolerance.sum(32))
        try compare(shape, type, zeros: 0..<64, bound: 0)
    }

    @Test(
        "a weight in windows of rows, or of whole matrices", arguments: [2048, 9000, 70_000], [ElementType.q8_0, .q4_0])
    func windows(_ bindingBytes: Int, _ type: ElementType) throws {
        let shape = ProductShape(batch: 3, tokens: 1, inputs: 50, outputs: 100)
        try compare(shape, type, bindingBytes: bindingBytes, bound: Tolerance.sum(50))
    }

    @Test("infinity and NaN are not hidden", arguments: [Float.nan, .infinity], [ElementType.q8_0, .q4_0])
    func notFinite(_ value: Float, _ type: ElementType) throws {
        let (found, _) = try KernelBench.product(
            ProductShape(tokens: 1, inputs: 100, outputs: 20), type, changing: { $0[40] = value }, loadsByLane: false,
            integerProducts: true)
        #expect(try #require(found["y"]).allSatisfy { !$0.isFinite })
    }

    @Test("what lies behind the last column is never used", arguments: [ElementType.q8_0, .q4_0])
    func padding(_ type: ElementType) throws {
        var generator = SeededGenerator(seed: 9)
        var bench = KernelBench()
        var x = generator.floats(64)
        for column in 43..<64 { x[column] = .nan }
        bench.add("x", .init(rows: 1, columns: 64), .f32, x)
        bench.random("w", .init(rows: 9, columns: 43), type, using: &generator)
        bench.random("y", .init(rows: 1, columns: 9), using: &generator)
        let (found, expected) = try bench.run(loadsByLane: false, integerProducts: true) { graph, view in
            let (x, w, y) = (view("x", &graph), view("w", &graph), view("y", &graph))
            graph.add(
                .linear(Linear(input: x.columns(0..<43), weight: w.tensor, activation: .none, output: y)))
        }
        expectClose(found["y"], expected["y"], "y") { _, _ in Tolerance.sum(43) }
    }

    @Test(
        "of a norm, with bias, GELU and residual, or gated by the first half of the rows",
        arguments: [7, 100, 2100, 4200], [ElementType.q8_0, .q4_0])
    func joined(_ outputs: Int, _ type: ElementType) throws {
        let inputs = 1100
        for isGated in [false, true] {
            var generator = SeededGenerator(seed: UInt64(outputs))
            var bench = KernelBench()
            let rows = isGated ? 2 * outputs : outputs
            bench.random("x", .init(rows: 1, columns: inputs), using: &generator, scale: 3)
            bench.random("g", .init(columns: inputs), using: &generator)
            bench.random("w", .init(rows: rows, columns: inputs), type, using: &generator)
            bench.random("b", .init(columns: outputs), using: &generator)
            bench.random("y", .init(rows: 1, columns: outputs), using: &generator)
            let (found, expected) = try bench.run(loadsByLane: false, integerProducts: true) { graph, view in
                let normed = graph.scratch("normed", .init(rows: 1, columns: inputs))
                graph.add(
                    .rmsNorm(
                        RMSNorm(
                            input: view("x", &graph), weight: view("g", &graph).tensor, groups: 1, epsilon: 1e-3,
                            output: normed)))
                let (w, b, y) = (view("w", &graph).tensor, view("b", &graph).tensor, view("y", &graph))
                guard isGated else {
                    graph.add(
                        .linear(
                            Linear(input: normed, weight: w, bias: b, activation: .gelu, residual: y, output: y)))
                    return
                }
                let product = graph.scratch("product", .init(rows: 1, columns: rows))
                graph.add(.linear(Linear(input: normed, weight: w, activation: .none, output: product)))
                graph.add(.swiGLU(SwiGLU(input: product, output: y)))
            }
            // As for the other kernels of such products.
            expectClose(found["y"], expected["y"], "y") { _, value in
                isGated
                    ? Tolerance.sum(inputs) * 60 + abs(value) * 80 * Tolerance.unit
                    : 4 * Tolerance.sum(inputs) + Tolerance.relative(value) + 4e-6
            }
        }
    }
}
