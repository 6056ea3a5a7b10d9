import Inference
import Testing

extension SamplingTests {
    /// On every device in slices of 2048, where top-k is not small.
    private func sampleSlices(
        _ logits: [Float], temperature: Float = 1, topK: Int? = nil, topP: Float = 1, minP: Float = 0,
        seed: [Float] = [1, 2]
    ) throws -> (found: [String: [Float]], expected: [String: [Float]]) {
        try sample(
            logits, temperature: temperature, topK: topK, topP: topP, minP: minP, seed: seed, loadsByLane: false)
    }

    @Test(
        "Slices keep and draw what the reference does",
        arguments: [
            (2049, nil, 1, 0), (2049, nil, 0.9, 0), (4096, nil, 0.5, 0), (5003, nil, 0.95, 0), (5003, nil, 1, 0.05),
            (5003, nil, 0.9, 0.2), (5003, 300, 1, 0), (5003, 300, 0.9, 0), (5003, 700, 0.99, 0.01), (5003, 5002, 1, 0),
            (151_669, nil, 1, 0), (151_669, nil, 0.8, 0), (151_669, nil, 0.95, 0.3), (151_669, 257, 1, 0),
            (151_669, 3000, 0.9, 0.1), (300_001, nil, 0.7, 0),
        ] as [(Int, Int?, Float, Float)])
    func slices(count: Int, topK: Int?, topP: Float, minP: Float) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        let logits = generator.floats(count).map { $0 * 8 }
        for draw in 0..<3 {
            let (found, expected) = try sampleSlices(
                logits, temperature: 0.7, topK: topK, topP: topP, minP: minP, seed: [Float(draw), 9])
            expectClose(found["weights"], expected["weights"], "weights") { 1e-7 + 1e-5 * $1 }
            #expect(found["token"] == expected["token"])
            #expect(found["log"] == expected["log"])
        }
    }

    @Test(
        "Of equals the first stay, in whichever slice the last of them is",
        arguments: [
            (257, 1), (500, 1), (800, 1), (818, 1), (820, 1), (nil, 0.1), (nil, 0.3), (nil, 0.6), (nil, 0.95),
            (700, 0.5),
        ] as [(Int?, Float)])
    func tiesInSlices(topK: Int?, topP: Float) throws {
        // Four more likely ones, 814 equals, and others.
        var logits = [Float](repeating: -9, count: 9000)
        for index in stride(from: 50, to: 9000, by: 11) { logits[index] = 3 }
        for index in [1512, 4097, 4098, 8999] { logits[index] = 4 }
        let (found, expected) = try sampleSlices(logits, topK: topK, topP: topP)
        expectClose(found["weights"], expected["weights"], "weights") { 1e-7 + 1e-5 * $1 }
        #expect(found["token"] == expected["token"])
    }

    @Test(
        "Where all are equal, as many stay as fit, in order", arguments: [1, 0.5001, 0.4097, 0.4095, 1e-6] as [Float])
    func allEqual(topP: Float) throws {
        let count = 5000
        let (found, expected) = try sampleSlices([Float](repeating: -2, count: count), topP: topP)
        let kept = max(1, Int(Float(count) * topP))
        for result in [found, expected] {
            expectClose(result["weights"], (0..<count).map { $0 < kept ? 1 : 0 }, "weights") { _, _ in 0 }
        }
        #expect(found["token"] == expected["token"])
    }

    @Test("Of large vocabularies too the likeliest token stays", arguments: [0, 2047, 2048, 4999])
    func firstOfSlices(index: Int) throws {
        var generator = SeededGenerator(seed: 3)
        var logits = generator.floats(5000)
        logits[index] = 1.5
        for (topP, minP) in [(1e-4, 0), (1, 1)] as [(Float, Float)] {
            let (found, expected) = try sampleSlices(logits, topP: topP, minP: minP)
            expectClose(found["weights"], logits.indices.map { $0 == index ? 1 : 0 }, "weights") { _, _ in 0 }
            #expect(found["token"] == [Float(index)] && expected["token"] == [Float(index)])
        }
    }

    @Test("Every slice's tokens are drawn, and none that can't be", arguments: [1, 0.9] as [Float])
    func drawsOfSlices(topP: Float) throws {
        let possible = [3, 2047, 2048, 4095, 4096, 8000]
        var logits = [Float](repeating: Self.impossible, count: 9000)
        for index in possible { logits[index] = 0.5 }
        var drawn: Set<Float> = []
        for draw in 0..<40 {
            let (found, expected) = try sampleSlices(logits, topP: topP, seed: [Float(draw), 4])
            expectClose(found["weights"], expected["weights"], "weights") { _, _ in 0 }
            #expect(found["token"] == expected["token"])
            drawn.formUnion(found["token"] ?? [])
        }
        #expect(drawn == Set(possible.prefix(topP < 1 ? 5 : 6).map { Float($0) }))
    }

    /// A logit whose weight is zero beside the others'.
    private static let impossible: Float = -1e30

    @Test("Where no logit is finite there is no token", arguments: [3, 5000], [-Float.infinity, .nan])
    func nothingToDraw(count: Int, logit: Float) throws {
        let (found, expected) = try sampleSlices([Float](repeating: logit, count: count))
        #expect(found["token"] == [Float(noToken)] && expected["token"] == [Float(noToken)])
    }

    @Test("The smallest and the largest random number draw the first and the last token", arguments: 0..<24)
    func ends(run: Int) throws {
        // Seeds whose number of step 1 is 0, and 1 - 2^-24: a sum in another order may end before that much of the total.
        let (lowest, highest): ([Float], [Float]) = ([6_786_339, 0], [2_472_697, 0])
        var generator = SeededGenerator(seed: UInt64(run))
        for possible in [1..<9000, 2050..<3900] {
            let logits = (0..<9001).map { possible.contains($0) ? generator.float() : Self.impossible }
            for (seed, token) in [(lowest, possible.lowerBound), (highest, possible.upperBound - 1)] {
                let (found, expected) = try sampleSlices(logits, seed: seed)
                #expect(found["token"] == [Float(token)] && expected["token"] == [Float(token)])
            }
        }
    }
}
