import Inference
import Testing

@Suite(.serialized)
struct AdvanceTests {
    @Test("a counter goes on", arguments: [0, 1, 512])
    func advance(_ amount: Int) throws {
        var bench = KernelBench()
        bench.add("counter", .init(columns: 3), .u32, [1, 40, 2])
        let (found, expected) = try bench.run { graph, view in
            let counter = view("counter", &graph).columns(1..<2)
            graph.add(.advance(Advance(counter: counter, amount: amount)))
        }
        #expect(found["counter"] == [1, Float(40 + amount), 2] && found["counter"] == expected["counter"])
    }
}
