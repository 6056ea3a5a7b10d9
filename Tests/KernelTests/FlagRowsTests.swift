import Inference
import Testing

@Suite(.serialized)
struct FlagRowsTests {
    @Test(
        "rows between bounds are flagged, all others cleared",
        arguments: [
            (1, []), (1, [0, 1]), (130, [3, 5, 128, 130]), (40_000, [0, 1, 16_383, 16_385, 20_000, 39_999]),
            (40_000, [16_384, 40_000]), (40_000, Array(0..<40_000)), (40_000, [5]),
        ] as [(Int, [Int])])
    func flags(_ rows: Int, _ bounds: [Int]) throws {
        var bench = KernelBench()
        // What lies behind those given doesn't count.
        bench.add("bounds", .init(columns: bounds.count + 3), .u32, bounds.map { Float($0) } + [0, 0, 0])
        bench.add("flags", .init(columns: rows), .u32, Array(repeating: 1, count: rows))
        bench.counter("count", bounds.count)
        let (found, expected) = try bench.run { graph, view in
            graph.add(
                .flagRows(
                    FlagRows(
                        bounds: view("bounds", &graph), count: view("count", &graph),
                        flags: view("flags", &graph).tensor)))
        }
        #expect(found["flags"] == expected["flags"])
        var wanted = [Float](repeating: 0, count: rows)
        for start in stride(from: 0, to: bounds.count, by: 2) {
            for row in bounds[start]..<(start + 1 < bounds.count ? bounds[start + 1] : rows) { wanted[row] = 1 }
        }
        #expect(found["flags"] == wanted)
    }
}
