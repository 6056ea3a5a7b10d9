import Foundation
import Inference
import ReferenceBackend
import Testing

/// One case of the reference implementation's sampling.
private struct SamplingCase: Decodable, CustomTestStringConvertible {
    var logits: [Float]
    var seen: [Int]
    var temperature: Float
    var top_k: Int
    var top_p: Float
    var repetition_penalty: Float
    var presence_penalty: Float
    var frequency_penalty: Float
    var adjusted_logits: [Float]
    var probabilities: [Float]

    var testDescription: String { "T \(temperature) k \(top_k) p \(top_p) r \(repetition_penalty)" }

    static let all: [SamplingCase] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/golden/sampling/expected.json")
        guard let data = try? Data(contentsOf: file) else { return [] }
        return (try? JSONDecoder().decode([SamplingCase].self, from: data)) ?? []
    }()
}

@Suite(.serialized)
struct SamplingTests {
    func sample(
        _ logits: [Float], temperature: Float, topK: Int? = nil, topP: Float = 1, minP: Float = 0,
        seed: [Float] = [1, 2],
        step: Int = 1, loadsByLane: Bool? = nil
    ) throws -> (found: [String: [Float]], expected: [String: [Float]]) {
        var bench = KernelBench()
        bench.add("logits", .init(columns: logits.count), .f32, logits)
        bench.add("weights", .init(columns: logits.count), .f32, logits.map { _ in 7 })
        bench.add("token", .init(columns: 1), .u32, [77])
        bench.add("log", .init(columns: 4), .u32, [5, 5, 5, 5])
        bench.add("seed", .init(columns: 2), .u32, seed)
        bench.counter("step", step)
        return try bench.run(loadsByLane: loadsByLane) { graph, view in
            let op = Sample(
                logits: view("logits", &graph), temperature: temperature, topK: topK, topP: topP, minP: minP,
                seed: view("seed", &graph), step: view("step", &graph), weights: view("weights", &graph),
                token: view("token", &graph), log: view("log", &graph).tensor)
            graph.add(.sample(op))
        }
    }

    private func probabilities(_ weights: [Float]?) -> [Float] {
        let weights = weights ?? []
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }

    @Test("Penalties, and what is left to draw from, are the reference implementation's", arguments: SamplingCase.all)
    fileprivate func golden(_ golden: SamplingCase) throws {
        let count = golden.logits.count
        var counts = [Float](repeating: 0, count: count)
        for token in golden.seen { counts[token] += 1 }
        var bench = KernelBench()
        bench.add("logits", .init(columns: count), .f32, golden.logits)
        bench.add("counts", .init(columns: count), .u32, counts)
        let penalized = try bench.run { graph, view in
            let (logits, counts) = (view("logits", &graph), view("counts", &graph).tensor)
            graph.add(
                .penalize(
                    Penalize(
                        logits: logits, counts: counts, presence: golden.presence_penalty,
                        frequency: golden.frequency_penalty, repetition: golden.repetition_penalty)))
        }
        for result in [penalized.found, penalized.expected] {
            expectClose(result["logits"], golden.adjusted_logits, "logits") { 1e-5 * max(1, abs($1)) }
        }
        if golden.temperature == 0 { return }
        let drawn = try sample(
            golden.adjusted_logits, temperature: golden.temperature, topK: golden.top_k > 0 ? golden.top_k : nil,
            topP: golden.top_p)
        for result in [drawn.found, drawn.expected] {
            let probabilities = probabilities(result["weights"])
            expectClose(probabilities, golden.probabilities, "probabilities") { 1e-6 + 1e-4 * $1 }
            let token = Int(result["token"]?.first ?? -1)
            #expect(golden.probabilities.indices.contains(token) && golden.probabilities[token] > 0)
        }
    }

    @Test("There are forty golden cases")
    func goldenCount() { #expect(SamplingCase.all.count == 40) }

    @Test(
        "Device and reference keep and draw the same, also of large vocabularies",
        arguments: [
            (1, nil, 1, 0), (5, 3, 1, 0), (129, nil, 0.5, 0), (5003, 40, 0.9, 0.05), (5003, nil, 0.95, 0),
            (151_669, 50, 1, 0), (151_669, nil, 0.8, 0), (151_669, nil, 1, 0.1), (151_669, 1, 0.1, 1),
            (151_669, 20, 0.95, 0), (151_669, 256, 0.9, 0), (151_669, 257, 1, 0), (4096, 5, 1, 0), (4099, 7, 0.9, 0),
        ] as [(Int, Int?, Float, Float)])
    func agreement(count: Int, topK: Int?, topP: Float, minP: Float) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        let logits = generator.floats(count).map { $0 * 8 }
        for step in 0..<3 {
            let (found, expected) = try sample(
                logits, temperature: 0.7, topK: topK, topP: topP, minP: minP, seed: [Float(step), 9], step: step)
            expectClose(found["weights"], expected["weights"], "weights") { 1e-7 + 1e-5 * $1 }
            #expect(found["token"] == expected["token"])
            #expect(found["log"] == expected["log"])
            #expect(found["log"]?[step] == found["token"]?.first)
        }
    }

    @Test(
        "Of equal weights as many stay as fit, in order",
        arguments: [(3, 1), (nil, 0.25), (nil, 0.013)] as [(Int?, Float)])
    func ties(topK: Int?, topP: Float) throws {
        let logits = [Float](repeating: 2, count: 400)
        let (found, expected) = try sample(logits, temperature: 1, topK: topK, topP: topP)
        #expect(found["weights"] == expected["weights"])
        let kept = found["weights"]?.indices.filter { found["weights"]?[$0] == 1 }
        let count = topK ?? Int(400 * topP)
        #expect(kept == Array(0..<count))
    }

    @Test("Of equal logits the first stay, also where they are in several slices", arguments: [1, 30, 200])
    func slicedTies(_ topK: Int) throws {
        var logits = [Float](repeating: -1, count: 9000)
        for index in stride(from: 1500, to: 9000, by: 250) { logits[index] = 3 }
        let (found, expected) = try sample(logits, temperature: 1, topK: topK)
        #expect(found["weights"] == expected["weights"])
        #expect(found["token"] == expected["token"])
    }

    @Test("The likeliest token stays, whatever the limit")
    func first() throws {
        let (found, expected) = try sample([0, 9, 1], temperature: 0.5, topP: 0.01)
        #expect(found["weights"] == [0, 1, 0] && expected["weights"] == [0, 1, 0])
        #expect(found["token"] == [1] && expected["token"] == [1])
    }

    @Test("Tokens come as often as they are likely")
    func frequencies() throws {
        // Probabilities 0.5, 0.25, 0.25, within what 400 draws scatter (4 standard deviations).
        var counts = [0, 0, 0]
        for draw in 0..<400 {
            let (found, expected) = try sample(
                [Float(2).logarithm, 0, 0], temperature: 1, seed: [Float(draw), 3], step: 0)
            #expect(found["token"] == expected["token"])
            counts[Int(found["token"]?.first ?? 0)] += 1
        }
        #expect(abs(counts[0] - 200) < 40)
        #expect(abs(counts[1] - 100) < 35)
        #expect(abs(counts[2] - 100) < 35)
    }

    @Test("Random numbers are Philox's published ones")
    func philox() {
        // Random123's known answers for philox4x32-10.
        let zero = Philox.block(key: (0, 0), counter: (0, 0, 0, 0))
        #expect(zero == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        let ones = Philox.block(
            key: (.max, .max), counter: (.max, .max, .max, .max))
        #expect(ones == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    }

    @Test("A chosen token is counted")
    func tally() throws {
        var bench = KernelBench()
        bench.add("counts", .init(columns: 5), .u32, [0, 1, 2, 3, 4])
        bench.counter("token", 3)
        let (found, expected) = try bench.run { graph, view in
            let (token, counts) = (view("token", &graph), view("counts", &graph).tensor)
            graph.add(.tally(Tally(tokens: token, counts: counts)))
        }
        #expect(found["counts"] == [0, 1, 2, 4, 4] && expected["counts"] == [0, 1, 2, 4, 4])
    }
}

extension Float {
    fileprivate var logarithm: Float { Foundation.log(self) }
}
