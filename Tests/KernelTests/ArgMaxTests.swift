import Inference
import Testing

@Suite(.serialized)
struct ArgMaxTests {
    private func argmax(_ logits: [Float], step: Int = 2) throws -> (
        found: [String: [Float]], expected: [String: [Float]]
    ) {
        var bench = KernelBench()
        bench.add(
            "logits", .init(rows: 2, columns: logits.count), .f32, Array(repeating: 9, count: logits.count) + logits)
        bench.add("token", .init(columns: 1), .u32, [77])
        bench.add("log", .init(columns: 4), .u32, [5, 5, 5, 5])
        bench.counter("step", step)
        return try bench.run { graph, view in
            let (logits, token) = (view("logits", &graph).rows(1..<2), view("token", &graph))
            let (log, step) = (view("log", &graph), view("step", &graph))
            graph.add(.argmax(ArgMax(logits: logits, token: token, log: log.tensor, step: step)))
        }
    }

    @Test("the largest of random values", arguments: [1, 7, 33, 432, 5003, 8193, 151_936])
    func random(_ columns: Int) throws {
        var generator = SeededGenerator(seed: UInt64(columns))
        let logits = generator.floats(columns)
        let (found, expected) = try argmax(logits)
        #expect(found["token"] == expected["token"])
        #expect(found["token"]?.first.map { logits[Int($0)] } == logits.max())
        #expect(found["log"] == expected["log"])
    }

    @Test("the lowest index of equals", arguments: [[3, 500], [130, 129, 2000], [0, 127, 128]])
    func ties(_ indices: [Int]) throws {
        var logits = [Float](repeating: -1, count: 2001)
        for index in indices { logits[index] = 4 }
        let (found, _) = try argmax(logits)
        #expect(found["token"] == [Float(indices.min() ?? -1)])
        #expect(found["log"] == [5, 5, Float(indices.min() ?? -1), 5])
    }

    @Test(
        "the first and the last of every slice is seen",
        arguments: [0, 2047, 2048, 4095, 8191, 8192, 10_239, 10_240, 10_249])
    func slices(_ index: Int) throws {
        var logits = [Float](repeating: -3, count: 10_250)
        logits[index] = -2
        #expect(try argmax(logits).found["token"] == [Float(index)])
    }

    @Test("the lowest index of equals in several slices, also where all are the least there is")
    func tiesOfSlices() throws {
        var logits = [Float](repeating: -1, count: 20_000)
        for index in [19_999, 4097, 4096, 12_000] { logits[index] = 4 }
        #expect(try argmax(logits).found["token"] == [4096])
        let (found, expected) = try argmax([Float](repeating: -.greatestFiniteMagnitude, count: 10_000))
        #expect(found["token"] == [0] && expected["token"] == [0])
    }

    @Test("a full log is left alone")
    func fullLog() throws {
        let (found, expected) = try argmax([0, 1], step: 4)
        #expect(found["log"] == [5, 5, 5, 5] && found["log"] == expected["log"])
    }
}
