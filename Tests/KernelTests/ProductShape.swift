import Inference
import Testing

/// The shape of a product: of `[batch, tokens, inputs]` with `[batch, outputs, inputs]`.
struct ProductShape: CustomTestStringConvertible {
    var batch = 1
    var tokens: Int
    var inputs: Int
    var outputs: Int

    var testDescription: String { "\(batch)x [\(tokens), \(inputs)] -> \(outputs)" }
}

extension KernelBench {
    /// Runs the product of random `x` and `w` into `y`.
    ///
    /// - Parameters:
    ///   - scale: what activations are multiplied with.
    ///   - change: changes activations.
    ///   - bindingBytes: as of `run`, and so are the next three.
    static func product(
        _ shape: ProductShape, _ type: ElementType, scale: Float = 1,
        changing change: (inout [Float]) -> Void = { _ in },
        bindingBytes: Int? = nil, loadsByLane: Bool? = nil, matrixUnits: Bool? = nil, integerProducts: Bool? = nil
    ) throws -> (found: [String: [Float]], expected: [String: [Float]]) {
        var generator = SeededGenerator(seed: UInt64(shape.inputs * 31 + shape.outputs))
        var bench = KernelBench()
        var x = generator.floats(shape.batch * shape.tokens * shape.inputs).map { $0 * scale }
        change(&x)
        bench.add("x", .init(batch: shape.batch, rows: shape.tokens, columns: shape.inputs), .f32, x)
        bench.random(
            "w", .init(batch: shape.batch, rows: shape.outputs, columns: shape.inputs), type, using: &generator)
        bench.random("y", .init(batch: shape.batch, rows: shape.tokens, columns: shape.outputs), using: &generator)
        return try bench.run(
            bindingBytes: bindingBytes, loadsByLane: loadsByLane, matrixUnits: matrixUnits,
            integerProducts: integerProducts
        ) { graph, view in
            let (x, w, y) = (view("x", &graph), view("w", &graph), view("y", &graph))
            graph.add(.linear(Linear(input: x, weight: w.tensor, activation: .none, output: y)))
        }
    }
}
