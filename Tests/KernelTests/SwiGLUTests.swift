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
}
