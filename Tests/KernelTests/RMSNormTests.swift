import Inference
import Testing

@Suite(.serialized)
struct RMSNormTests {
    @Test("norms of rows and of heads", arguments: [1, 7, 33, 129], [(1, 7), (1, 896), (3, 128), (14, 64), (5, 33)])
    func norm(_ tokens: Int, _ form: (groups: Int, width: Int)) throws {
        for loadsByLane in [nil, false] { try norm(tokens, form, loadsByLane: loadsByLane) }
    }

    private func norm(_ tokens: Int, _ form: (groups: Int, width: Int), loadsByLane: Bool?) throws {
        var generator = SeededGenerator(seed: UInt64(tokens * form.width))
        var bench = KernelBench()
        let columns = form.groups * form.width
        bench.random("x", .init(batch: 2, rows: tokens, columns: columns), using: &generator)
        bench.random("w", .init(batch: 2, columns: form.width), using: &generator)
        let (found, expected) = try bench.run(loadsByLane: loadsByLane) { graph, view in
            let (x, w) = (view("x", &graph), view("w", &graph))
            // In place, as queries and keys are normalised.
            graph.add(
                .rmsNorm(RMSNorm(input: x, weight: w.tensor, groups: form.groups, epsilon: 1e-6, output: x)))
        }
        // The factor's relative error is half of the sum's, which adds only positive terms.
        let factor = Float(form.width).squareRoot() * Tolerance.unit
        expectClose(found["x"], expected["x"], "output") { _, value in
            Tolerance.relative(value) + abs(value) * factor
        }
    }

    @Test("a slice of a wider tensor; nothing outside is written")
    func slice() throws {
        var generator = SeededGenerator(seed: 2)
        var bench = KernelBench()
        bench.random("x", .init(rows: 6, columns: 100), using: &generator)
        bench.random("w", .init(columns: 20), using: &generator)
        let before = bench.tensors[0].values
        let (found, expected) = try bench.run { graph, view in
            let (x, w) = (view("x", &graph).columns(13..<73), view("w", &graph))
            graph.add(.rmsNorm(RMSNorm(input: x, weight: w.tensor, groups: 3, epsilon: 1e-5, output: x)))
        }
        expectClose(found["x"], expected["x"], "output") { index, value in
            (13..<73).contains(index % 100) ? Tolerance.relative(value) : 0
        }
        #expect(found["x"]?[12] == before[12] && found["x"]?[73] == before[73])
    }
}
