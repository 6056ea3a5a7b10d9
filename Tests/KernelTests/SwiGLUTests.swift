import Inference
import Testing

@Suite(.serialized)
struct SwiGLUTests {
    @Test("gated products", arguments: [1, 7, 33, 129], [1, 7, 33, 320, 1000])
    func swiglu(_ tokens: Int, _ width: Int) throws {
        var generator = SeededGenerator(seed: UInt64(tokens * width))
        var bench = KernelBench()
        bench.random("x", .init(rows: tokens, columns: 2 * width), using: &generator, scale: 30)
        bench.random("y", .init(rows: tokens, columns: width), using: &generator)
        let (found, expected) = try bench.run { graph, view in
            let (x, y) = (view("x", &graph), view("y", &graph))
            graph.add(.swiGLU(SwiGLU(input: x, output: y)))
        }
        // Vulkan allows exp(x) an error of 3 + 2|x| units in the last place; here |x| is at most 30.
        expectClose(found["y"], expected["y"], "output") { _, value in abs(value) * 80 * Tolerance.unit + 1e-9 }
    }

    @Test("a product that is only there to be gated, as one launch", arguments: [1, 6, 33], [1, 7, 40, 70])
    func gatedProduct(_ tokens: Int, _ width: Int) throws {
        for loadsByLane in [nil, false] {
            var generator = SeededGenerator(seed: UInt64(tokens * width))
            var bench = KernelBench()
            bench.random("x", .init(rows: tokens, columns: 45), using: &generator)
            bench.random("w", .init(rows: 2 * width, columns: 45), .bf16, using: &generator)
            bench.random("y", .init(rows: tokens, columns: width), using: &generator)
            let (found, expected) = try bench.run(loadsByLane: loadsByLane) { graph, view in
                let product = graph.scratch("product", .init(rows: tokens, columns: 2 * width))
                let (x, w, y) = (view("x", &graph), view("w", &graph), view("y", &graph))
                graph.add(.linear(Linear(input: x, weight: w.tensor, activation: .none, output: product)))
                graph.add(.swiGLU(SwiGLU(input: product, output: y)))
            }
            // Both factors are sums of 45 products below 1, and what they differ by is multiplied by the other.
            expectClose(found["y"], expected["y"], "output") { _, value in
                Tolerance.sum(45) * 30 + abs(value) * 80 * Tolerance.unit
            }
        }
    }
}
