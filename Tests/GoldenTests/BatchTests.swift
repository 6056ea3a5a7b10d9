import Inference
import Testing

/// Sequences that run together, against each of them alone.
@Suite(.serialized)
struct BatchTests {
    /// Products over more rows take other kernels, whose sums differ in their last bits.
    private static let tolerance: Float = 1e-4

    /// Of different lengths, down to a single token; not all in the same number of sections.
    private func prompts(_ golden: GoldenCase, _ fusion: FusionMode) -> [Prompt] {
        let whole = golden.expectations.filter { $0.fusion == fusion }.map(\.prompt)
        let shorter = whole.prefix(1).flatMap { prompt in
            [prompt.count - 1, prompt.count / 2 + 1, 2, 1].map { cut(prompt, to: $0) }
        }
        return whole + shorter
    }

    /// A prompt's beginning, its last token a section of its own.
    private func cut(_ prompt: Prompt, to count: Int) -> Prompt {
        func cut(_ sequence: TokenSequence) -> TokenSequence {
            TokenSequence(Array(sequence.ids.prefix(count)), padding: sequence.padding.filter { $0 < count })
        }
        var left = count - 1
        let sections = prompt.sections.map { section in
            defer { left -= min(left, section.length) }
            return Section(length: min(left, section.length), sharerMask: section.sharerMask)
        }
        return Prompt(
            cut(prompt.receiver), sharers: prompt.sharers.map(cut),
            sections: sections.filter { $0.length > 0 } + [Section(length: 1, sharerMask: -1)])
    }

    private struct Answers {
        var results: [GenerationResult]
        /// By prompt, of all its steps.
        var logits: [[Float]]
    }

    private func ask(
        _ session: Session, _ prompts: [Prompt], maxNewTokens: Int, endTokens: Set<Int> = []
    ) throws -> Answers {
        var logits = [[Float]](repeating: [], count: prompts.count)
        let results = try session.generate(
            prompts, maxNewTokens: maxNewTokens, endTokens: endTokens, onStepLogits: { logits[$0] += $1 })
        return Answers(results: results, logits: logits)
    }

    @Test(
        "Tokens and logits are those of each prompt alone",
        arguments: [
            "qwen3_from_qwen2", "sections", "two_sharers", "qwen3_from_llama_aligned", "include_response",
        ], [TestBackend.reference, .vulkan, .vulkanPlainLoads])
    func together(_ name: String, _ kind: TestBackend) throws {
        let golden = try GoldenCase(name)
        try kind.run { backend in
            let loaded = try LoadedCase(golden, on: backend)
            for fusion in FusionMode.allCases {
                let prompts = self.prompts(golden, fusion)
                guard !prompts.isEmpty else { continue }
                // Sections are cut into runs in the middle of sequences.
                let batch = try loaded.session(
                    fusion, withSharers: true, cacheType: .f32, chunk: 2 * prompts.count + 1,
                    sequenceCount: prompts.count)
                let together = try ask(batch, prompts, maxNewTokens: golden.maxNewTokens)
                let single = try loaded.session(fusion, withSharers: true, cacheType: .f32)
                for (index, prompt) in prompts.enumerated() {
                    let alone = try ask(single, [prompt], maxNewTokens: golden.maxNewTokens)
                    #expect(together.results[index].tokens == alone.results[0].tokens, "\(fusion) \(index)")
                    let difference = Difference(together.logits[index], alone.logits[0])
                    #expect(difference.relative < Self.tolerance, "\(fusion) \(index) is off by \(difference)")
                }
            }
        }
    }

    @Test("Answers that end at different steps end as they do alone", arguments: TestBackend.allCases)
    func endings(_ kind: TestBackend) throws {
        let golden = try GoldenCase("qwen3_from_qwen2")
        try kind.run { backend in
            let loaded = try LoadedCase(golden, on: backend)
            let prompts = self.prompts(golden, .sequential)
            let single = try loaded.session(withSharers: true, cacheType: .f32)
            let open = try prompts.map { try single.generate($0, maxNewTokens: golden.maxNewTokens).tokens }
            let ends = Set([open[0][1], open[1][2], open[2][golden.maxNewTokens - 2]])
            let batch = try loaded.session(withSharers: true, cacheType: .f32, sequenceCount: prompts.count)
            for _ in 0..<2 {
                // Steps run ahead here: nobody looks at logits.
                let results = try batch.generate(prompts, maxNewTokens: golden.maxNewTokens, endTokens: ends)
                #expect(Set(results.map(\.tokens.count)).count > 1)
                for (prompt, result) in zip(prompts, results) {
                    let alone = try single.generate(prompt, maxNewTokens: golden.maxNewTokens, endTokens: ends)
                    #expect(result.tokens == alone.tokens && result.finishReason == alone.finishReason)
                    #expect(result.decodedTokens == alone.decodedTokens)
                }
            }
        }
    }

    @Test("Each sequence draws with its own seed what it draws alone", arguments: [TestBackend.reference, .vulkan])
    func seeds(_ kind: TestBackend) throws {
        let golden = try GoldenCase("qwen3_from_qwen2")
        try kind.run { backend in
            let loaded = try LoadedCase(golden, on: backend)
            // The same prompt more than once, with other seeds.
            let prompts = (0..<2).flatMap { _ in self.prompts(golden, .sequential).prefix(2) }
            let seeds: [UInt64] = [1, 2, 1 << 40, 3]
            var sampling = SamplingSettings()
            sampling.temperature = 1.5
            sampling.topP = 0.95
            sampling.repetitionPenalty = 1.2
            let batch = try loaded.session(withSharers: true, cacheType: .f32, sequenceCount: prompts.count)
            let single = try loaded.session(withSharers: true, cacheType: .f32)
            let together = try batch.generate(
                prompts, maxNewTokens: golden.maxNewTokens, sampling: sampling, seeds: seeds)
            #expect(Set(together.map(\.tokens)).count == prompts.count)
            for (index, prompt) in prompts.enumerated() {
                sampling.seed = seeds[index]
                let alone = try single.generate(prompt, maxNewTokens: golden.maxNewTokens, sampling: sampling)
                #expect(together[index].tokens == alone.tokens)
            }
        }
    }
}
