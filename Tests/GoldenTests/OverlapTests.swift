import Inference
import Testing

/// Sharers and receiver side by side, against one after the other.
@Suite(.serialized)
struct OverlapTests {
    /// Aligned prompts give each model ids, and padding, of its own.
    @Test(
        "Side by side gives the same bytes",
        arguments: ["qwen3_from_qwen2", "sections", "two_sharers", "qwen3_from_llama_aligned"], TestBackend.allCases)
    func bytes(_ name: String, _ kind: TestBackend) throws {
        let golden = try GoldenCase(name)
        try kind.run { backend in
            let loaded = try LoadedCase(golden, on: backend)
            for expectation in golden.expectations {
                let (apart, together) = (
                    try answer(loaded, golden, expectation, overlaps: false),
                    try answer(loaded, golden, expectation, overlaps: true)
                )
                #expect(together == apart)
                #expect(together.tokens == expectation.tokens)
            }
        }
    }

    private struct Answer: Equatable {
        var tokens: [Int]
        var logits: [Float] = []
        var keys: [[Float]] = []
    }

    private func answer(
        _ loaded: LoadedCase, _ golden: GoldenCase, _ expectation: GoldenCase.Expectation, overlaps: Bool
    ) throws -> Answer {
        let backend = loaded.backend
        let session = try loaded.session(
            expectation.fusion, withSharers: true, cacheType: .f32, overlapsPrefill: overlaps)
        try backend.resetTimings()
        var answer = Answer(tokens: [])
        answer.tokens = try session.generate(
            expectation.prompt, maxNewTokens: golden.maxNewTokens, onStepLogits: { answer.logits += $0 }
        ).tokens
        for cache in [session.receiverCache] + session.sharerCaches.compactMap(\.self) {
            answer.keys += try cache.keys.map { try backend.read($0) }
        }
        #expect(try (backend.seconds(in: .jointPrefill) > 0) == overlaps)
        #expect(try (backend.seconds(in: .sharerPrefill) > 0) != overlaps)
        return answer
    }
}
