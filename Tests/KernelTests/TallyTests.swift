import Inference
import Testing

@Suite(.serialized)
struct TallyTests {
    @Test(
        "tokens are counted as often as they come, those outside the vocabulary not", arguments: [1, 127, 129, 40_000],
        [(false, nil), (true, nil), (true, 100)] as [(Bool, Int?)])
    func counts(_ tokens: Int, _ form: (startsAnew: Bool, count: Int?)) throws {
        let vocabulary = 151_936
        var generator = SeededGenerator(seed: UInt64(tokens))
        // Many of the same, the first and the last ones, and some past the end.
        let ids = (0..<tokens).map { index -> Float in
            switch index % 5 {
            case 0: 7
            case 1: 0
            case 2: Float(vocabulary - 1)
            case 3: Float(vocabulary + index)
            default: Float(Int.random(in: 0..<vocabulary, using: &generator))
            }
        }
        var bench = KernelBench()
        bench.add("tokens", .init(columns: tokens + 1), .u32, [3] + ids)
        bench.add("counts", .init(columns: vocabulary), .u32, (0..<vocabulary).map { Float($0 % 3) })
        bench.counter("count", form.count ?? 0)
        let (found, expected) = try bench.run { graph, view in
            graph.add(
                .tally(
                    Tally(
                        tokens: view("tokens", &graph).columns(1..<tokens + 1),
                        count: form.count == nil ? nil : view("count", &graph), counts: view("counts", &graph).tensor,
                        startsAnew: form.startsAnew)))
        }
        #expect(found["counts"] == expected["counts"])
        let counted = Float(ids.prefix(form.count ?? tokens).count { $0 == 7 })
        #expect(found["counts"]?[7] == (form.startsAnew ? 0 : 1) + counted)
    }
}
