import Inference
import ReferenceBackend
import Testing

/// What only shows at the sizes of published models: a vocabulary of 151,936 tokens, caches of 40,000 rows. One small layer of
/// random weights keeps it to seconds.
@Suite(.serialized)
struct TrueSizeTests {
    private static let capacity = 40_000

    private let description = DecoderDescription(
        family: "test", hiddenSize: 16, intermediateSize: 32, layerCount: 1, headCount: 2, kvHeadCount: 1, headDim: 16,
        vocabularySize: 151_936, normEpsilon: 1e-6, rope: RoPEDescription(theta: 10_000), tiesEmbeddings: true,
        maximumContext: TrueSizeTests.capacity)

    private func session(on backend: any Backend, sequences: Int = 1) throws -> Session {
        var weights: [WeightSlot.Role: any StoredTensor] = [:]
        for (index, slot) in description.weightSlots(.full(description)).enumerated() {
            weights[slot.role] = try backend.makeRandomTensor(
                "receiver.\(index)", slot.shape, slot.isVector ? .f32 : .f16, seed: UInt32(index + 1), scale: 0.5)
        }
        let decoder = try Decoder(
            name: "receiver", description: description, extent: .full(description), weights: weights)
        return try Session(
            on: backend, receiver: decoder, capacity: Self.capacity, cacheType: .f32, sequenceCount: sequences)
    }

    private let ids = [3, 151_000, 14, 14, 99_999, 26, 14, 7]

    /// The new tokens, by prompt, and the logits that chose them, on the device and on the reference.
    private func compare(
        _ prompts: [Prompt], sampling: SamplingSettings = SamplingSettings(), newTokens: Int = 3
    ) throws {
        func answers(_ backend: any Backend) throws -> (tokens: [[Int]], logits: [[Float]]) {
            var logits: [[Float]] = []
            let results = try session(on: backend, sequences: prompts.count).generate(
                prompts, maxNewTokens: newTokens, sampling: sampling, onStepLogits: { logits.append($1) })
            return (results.map(\.tokens), logits)
        }
        let expected = try answers(ReferenceBackend())
        try TestBackend.vulkan.run { backend in
            let found = try answers(backend)
            #expect(found.tokens == expected.tokens)
            #expect(found.logits.count == expected.logits.count)
            for (found, expected) in zip(found.logits, expected.logits) {
                #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-3 * max(1, abs($1)) })
            }
        }
    }

    private func prompt(_ ids: [Int], hiding rows: Range<Int>? = nil) -> Prompt {
        var prompt = Prompt(ids, sections: Section.lastApart(promptLength: ids.count, sharerMask: -1))
        prompt.hiddenRows = rows
        return prompt
    }

    @Test("every penalty, greedily and at random, for several sequences")
    func penalties() throws {
        var sampling = SamplingSettings()
        sampling.repetitionPenalty = 1.5
        sampling.presencePenalty = 0.4
        sampling.frequencyPenalty = 0.3
        try compare([prompt(ids), prompt(Array(ids.suffix(3)))], sampling: sampling)
        sampling.temperature = 0.7
        sampling.topK = 20
        sampling.seed = 5
        try compare([prompt(ids)], sampling: sampling)
    }

    @Test("rows that the answer doesn't see")
    func hiddenRows() throws {
        try compare([prompt(ids, hiding: 2..<6)])
    }

    @Test("padding behind row 16,384 is seen by no one")
    func padding() throws {
        try TestBackend.vulkan.run { backend in
            let session = try session(on: backend)
            func logits(filler: Int, padding: Set<Int>) throws -> [Float] {
                var ids = (0..<18_000).map { $0 * 7 % 151_936 }
                for row in 16_000..<17_500 { ids[row] = filler }
                var logits: [Float] = []
                _ = try session.generate(
                    Prompt(
                        TokenSequence(ids, padding: padding), sections: [Section(length: ids.count, sharerMask: -1)]),
                    maxNewTokens: 1, onStepLogits: { logits = $0 })
                return logits
            }
            let rows = Set(16_000..<17_500)
            let padded = try logits(filler: 1, padding: rows)
            #expect(try logits(filler: 2, padding: rows) == padded)
            #expect(try logits(filler: 1, padding: []) != padded)
        }
    }
}
