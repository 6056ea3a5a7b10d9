import Inference
import Testing

/// The numbers of the reference implementation, end to end; see Tests/Fixtures/README.md.
@Suite(.serialized)
struct GoldenTests {
    static let cases = [
        "qwen3_from_qwen2", "k_nearest_deep_sharer", "sharded_f16", "sections", "llama_pair", "two_sharers",
        "qwen3_from_llama_aligned", "include_response", "qwen3_yarn", "llama_dynamic", "llama_dynamic_long",
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
                    expectation.prompt, maxNewTokens: golden.maxNewTokens,
                    onStepLogits: { logits += $0 })
                #expect(result.tokens == expectation.tokens)
                let prefix = expectation.prefix
                let logitsName = prefix.isEmpty ? "c2c.step_logits" : "\(prefix)step_logits"
                check(logits, try golden.floats(logitsName), logitsName)
                guard !golden.includesResponse else { continue }
                try checkCache(session.receiverCache, expectation.prompt.count, "\(prefix)fused", golden, backend)
                let sharerRows = expectation.prompt.count - (expectation.prompt.sections.last?.length ?? 0)
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

    /// With the prompt's logits and without, as the last layer leaves out what only these need.
    @Test("receiver alone: caches, logits and tokens", arguments: cases, TestBackend.allCases)
    func alone(_ name: String, _ kind: TestBackend) throws {
        let golden = try GoldenCase(name)
        guard let tokens = golden.receiverAloneTokens else { return }
        try kind.run { backend in
            let ids = golden.expectations[0].prompt.receiver.ids
            let loaded = try LoadedCase(golden, on: backend)
            for wantsPromptLogits in [true, false] {
                let session = try loaded.session(withSharers: false, cacheType: .f32)
                var promptLogits: [Float] = []
                var stepLogits: [Float] = []
                let result = try session.generate(
                    Prompt(ids, sections: Section.defaults(promptLength: ids.count, sharerCount: 0)),
                    maxNewTokens: golden.maxNewTokens,
                    onPromptLogits: wantsPromptLogits ? { promptLogits += $0 } : nil,
                    onStepLogits: { stepLogits += $0 })
                #expect(result.tokens == tokens)
                if wantsPromptLogits {
                    check(promptLogits, try golden.floats("receiver_alone.logits"), "receiver_alone.logits")
                }
                check(stepLogits, try golden.floats("receiver_alone.step_logits"), "receiver_alone.step_logits")
                try checkCache(session.receiverCache, ids.count, "receiver", golden, backend)
            }
        }
    }

    /// Half-precision caches move these logits by at most some hundredths, as little as the closest margins, and change no
    /// token. bfloat16 moves them by tenths and may: there, too, both backends must agree with each other.
    @Test("16-bit caches", arguments: cases, [ElementType.f16, .bf16])
    func narrowCaches(_ name: String, _ type: ElementType) throws {
        let golden = try GoldenCase(name)
        for expectation in golden.expectations {
            let reference = try narrowAnswer(golden, expectation, type, .reference)
            let vulkan = try narrowAnswer(golden, expectation, type, .vulkan)
            let logitsName = expectation.prefix.isEmpty ? "c2c.step_logits" : "\(expectation.prefix)step_logits"
            let expected = Array(try golden.floats(logitsName).prefix(vulkan.firstLogits.count))
            let moved = zip(vulkan.firstLogits, expected).map { abs($0 - $1) }.max() ?? .infinity
            let agreeing = zip(vulkan.tokens, expectation.tokens).prefix { $0 == $1 }.count
            print(
                "\(name) \(expectation.prefix)\(type): \(agreeing) of \(expectation.tokens.count) tokens as with float32, "
                    + "the first logits move by at most \(moved)")
            if type == .f16 { #expect(vulkan.tokens == expectation.tokens) }
            // Both sides round values that differ in their last bits, and so may store neighbours.
            let unit: Float = type == .f16 ? 0x1p-10 : 0x1p-7
            #expect(Difference(vulkan.keys, reference.keys).relative <= 4 * unit)
            #expect(Difference(vulkan.firstLogits, reference.firstLogits).relative <= 4 * unit)
        }
    }

    /// A value of a q8_0 block is off by half a step, 1/254 of the largest one, so logits move about as much as with bfloat16,
    /// and may change tokens: both backends must agree with each other. A step is 1/127 of the largest value of a block at most.
    @Test("8-bit caches, where heads are whole blocks", arguments: cases)
    func eightBitCaches(_ name: String) throws {
        let golden = try GoldenCase(name)
        guard let expectation = golden.expectations.first else { return }
        let reference: NarrowAnswer
        do {
            reference = try narrowAnswer(golden, expectation, .q8_0, .reference)
        } catch let error as InferenceError {
            #expect(error.description.contains("a q8_0 cache needs a multiple of 32"))
            return
        }
        let vulkan = try narrowAnswer(golden, expectation, .q8_0, .vulkan)
        #expect(Difference(vulkan.keys, reference.keys).relative <= 4 / 127)
        #expect(Difference(vulkan.firstLogits, reference.firstLogits).relative <= 4 / 127)
        let wide = try narrowAnswer(golden, expectation, .f32, .reference)
        let moved = Difference(vulkan.firstLogits, wide.firstLogits).relative
        print("\(name): the first logits move by \(moved) of the largest")
        #expect(Difference(vulkan.keys, wide.keys).relative <= 0.1 && moved > 0)
    }

    private struct NarrowAnswer {
        var tokens: [Int]
        var firstLogits: [Float]
        /// The last layer's fused keys.
        var keys: [Float]
    }

    private func narrowAnswer(
        _ golden: GoldenCase, _ expectation: GoldenCase.Expectation, _ type: ElementType, _ kind: TestBackend
    ) throws -> NarrowAnswer {
        var answer = NarrowAnswer(tokens: [], firstLogits: [], keys: [])
        try kind.run { backend in
            let session = try LoadedCase(golden, on: backend).session(
                expectation.fusion, withSharers: true, cacheType: type)
            answer.tokens = try session.generate(
                expectation.prompt, maxNewTokens: golden.maxNewTokens,
                onStepLogits: { if answer.firstLogits.isEmpty { answer.firstLogits = $0 } }
            ).tokens
            let keys = try #require(session.receiverCache.keys.last)
            answer.keys = prefix(try backend.read(keys), shape: keys.shape, rows: expectation.prompt.count)
        }
        return answer
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
