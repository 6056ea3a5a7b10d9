import Inference
import Testing

/// The numbers of the reference implementation, end to end; see Tests/Fixtures/README.md.
@Suite(.serialized)
struct GoldenTests {
    static let cases = [
        "qwen3_from_qwen2", "k_nearest_deep_sharer", "sharded_f16", "sections", "llama_pair", "two_sharers",
    ]
    /// Both sides compute in float32 but sum in another order; over the depth of these models that comes to some 1e-5 of
    /// the largest value.
    static let tolerance: Float = 2e-4

    @Test("C2C: caches, logits and tokens", arguments: cases, TestBackend.allCases)
    func fused(_ name: String, _ kind: TestBackend) throws {
        let golden = try GoldenCase(name)
        try kind.run { backend in
            let loaded = try LoadedCase(golden, on: backend)
            for expectation in golden.expectations {
                let session = try loaded.session(expectation.fusion, withSharers: true, cacheType: .f32)
                var logits: [Float] = []
                let result = try session.generate(
                    golden.promptIDs, sections: expectation.sections, maxNewTokens: golden.maxNewTokens,
                    onStepLogits: { logits += $0 })
                #expect(result.tokens == expectation.tokens)
                let prefix = expectation.prefix
                let logitsName = prefix.isEmpty ? "c2c.step_logits" : "\(prefix)step_logits"
                check(logits, try golden.floats(logitsName), logitsName)
                try checkCache(session.receiverCache, golden.promptIDs.count, "\(prefix)fused", golden, backend)
                let sharerRows = golden.promptIDs.count - (expectation.sections.last?.length ?? 0)
                for (index, cache) in session.sharerCaches.enumerated() {
                    guard let cache else { continue }
                    let name = session.sharerCaches.count == 1 ? "sharer" : "sharer\(index)"
                    for candidate in ["\(prefix)\(name)", name]
                    where golden.expected.contains("\(candidate).key.0") {
                        try checkCache(cache, sharerRows, candidate, golden, backend)
                    }
                }
            }
        }
    }

    @Test("receiver alone: caches, logits and tokens", arguments: cases, TestBackend.allCases)
    func alone(_ name: String, _ kind: TestBackend) throws {
        let golden = try GoldenCase(name)
        guard let tokens = golden.receiverAloneTokens else { return }
        try kind.run { backend in
            let session = try LoadedCase(golden, on: backend).session(withSharers: false, cacheType: .f32)
            var promptLogits: [Float] = []
            var stepLogits: [Float] = []
            let result = try session.generate(
                golden.promptIDs,
                sections: Section.defaults(promptLength: golden.promptIDs.count, sharerCount: 0),
                maxNewTokens: golden.maxNewTokens, onPromptLogits: { promptLogits += $0 },
                onStepLogits: { stepLogits += $0 })
            #expect(result.tokens == tokens)
            check(promptLogits, try golden.floats("receiver_alone.logits"), "receiver_alone.logits")
            check(stepLogits, try golden.floats("receiver_alone.step_logits"), "receiver_alone.step_logits")
            try checkCache(session.receiverCache, golden.promptIDs.count, "receiver", golden, backend)
        }
    }

    private func check(_ found: [Float], _ expected: [Float], _ what: String) {
        let difference = Difference(found, expected)
        #expect(difference.relative < Self.tolerance, "\(what) is off by \(difference)")
    }

    private func checkCache(
        _ cache: KVCache, _ rows: Int, _ name: String, _ golden: GoldenCase, _ backend: any Backend
    ) throws {
        for (half, tensors) in [("key", cache.keys), ("value", cache.values)] {
            for (layer, tensor) in tensors.enumerated() {
                let found = prefix(try backend.read(tensor), shape: tensor.shape, rows: rows)
                let label = "\(name).\(half).\(layer)"
                check(found, try golden.floats(label), label)
            }
        }
    }
}
