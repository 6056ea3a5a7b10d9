import Inference
import ReferenceBackend
import Testing

/// What holds for any backend, shown on the reference with a small made-up decoder.
@Suite
struct SessionTests {
    private let description = DecoderDescription(
        family: "test", hiddenSize: 24, intermediateSize: 40, layerCount: 3, headCount: 4, kvHeadCount: 2, headDim: 8,
        vocabularySize: 50, normEpsilon: 1e-6, rope: RoPEDescription(theta: 10_000), hasAttentionBias: true,
        hasQueryKeyNorm: true, tiesEmbeddings: true, maximumContext: 64)

    private func decoder(
        _ backend: any Backend, _ name: String = "receiver", extent: DecoderExtent? = nil
    ) throws -> Decoder {
        let extent = extent ?? .full(description)
        var weights: [WeightSlot.Role: any StoredTensor] = [:]
        for (index, slot) in description.weightSlots(extent).enumerated() {
            weights[slot.role] = try backend.makeRandomTensor(
                "\(name).\(index)", slot.shape, .f32, seed: UInt32(index), scale: 0.5)
        }
        return try Decoder(name: name, description: description, extent: extent, weights: weights)
    }

    private let prompt = [3, 14, 15, 9, 2, 6, 5, 35, 8, 9, 7, 9, 32, 3, 8, 46]

    @Test("a prompt in chunks and sections gives what it gives as one", arguments: [1, 3, 16])
    func chunks(_ chunk: Int) throws {
        let backend = ReferenceBackend()
        let decoder = try decoder(backend)
        let whole = try Session(on: backend, receiver: decoder, capacity: 30, cacheType: .f32)
        let expected = try whole.generate(
            Prompt(prompt, sections: [Section(length: 16, sharerMask: -1)]), maxNewTokens: 8)
        let parts = try Session(
            on: backend, receiver: decoder, capacity: 30, cacheType: .f32, prefillChunk: chunk)
        let sections = [5, 10, 1].map { Section(length: $0, sharerMask: -1) }
        #expect(try parts.generate(Prompt(prompt, sections: sections), maxNewTokens: 8).tokens == expected.tokens)
        let (a, b) = (try backend.read(whole.receiverCache.keys[2]), try backend.read(parts.receiverCache.keys[2]))
        #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test("a session answers the same prompt the same way again")
    func again() throws {
        let backend = ReferenceBackend()
        let session = try Session(on: backend, receiver: decoder(backend), capacity: 30)
        let sections = Section.defaults(promptLength: prompt.count, sharerCount: 0)
        let first = try session.generate(Prompt(prompt, sections: sections), maxNewTokens: 6)
        _ = try session.generate(Prompt([1, 2], sections: [Section(length: 2, sharerMask: -1)]), maxNewTokens: 20)
        #expect(try session.generate(Prompt(prompt, sections: sections), maxNewTokens: 6).tokens == first.tokens)
    }

    @Test("a conversation that goes on keeps its rows, and ends where a fresh start ends")
    func continuation() throws {
        let backend = ReferenceBackend()
        let decoder = try decoder(backend)
        func session() throws -> Session {
            try Session(on: backend, receiver: decoder, capacity: 60, cacheType: .f32)
        }
        let first = Section.defaults(promptLength: prompt.count, sharerCount: 0)
        let kept = try session()
        let answer = try kept.generate(Prompt(prompt, sections: first), maxNewTokens: 5).tokens
        let longer = prompt + answer + [4, 8, 15]
        let second = Section.defaults(promptLength: longer.count, sharerCount: 0)
        let fresh = try session().generate(Prompt(longer, sections: second), maxNewTokens: 6)
        #expect(fresh.keptTokens == 0)
        let continued = try kept.generate(Prompt(longer, sections: second), keepsPrefix: true, maxNewTokens: 6)
        // The last answered token was chosen, but no row was made for it.
        #expect(continued.keptTokens == prompt.count + answer.count - 1)
        #expect(continued.tokens == fresh.tokens)

        var changed = longer
        changed[7] = 1
        let rewound = try kept.generate(Prompt(changed, sections: second), keepsPrefix: true, maxNewTokens: 6)
        #expect(rewound.keptTokens == 7)
        let again = try session().generate(Prompt(changed, sections: second), maxNewTokens: 6)
        #expect(rewound.tokens == again.tokens)
    }

    @Test("padding shifts positions but is seen by no one")
    func padding() throws {
        let backend = ReferenceBackend()
        let decoder = try decoder(backend)
        func answer(_ filler: Int, padded: Bool) throws -> [Float] {
            let session = try Session(on: backend, receiver: decoder, capacity: 60, cacheType: .f32)
            let ids = [3, 14, filler, filler, 15, 9]
            let sequence = TokenSequence(ids, padding: padded ? [2, 3] : [])
            var logits: [Float] = []
            _ = try session.generate(
                Prompt(sequence, sections: [Section(length: 6, sharerMask: -1)]), maxNewTokens: 1,
                onStepLogits: { logits = $0 })
            return logits
        }
        #expect(try answer(1, padded: true) == answer(2, padded: true))
        #expect(try answer(1, padded: true) != answer(1, padded: false))
    }

    @Test("an end token ends the answer, a full cache too")
    func endings() throws {
        let backend = ReferenceBackend()
        let session = try Session(on: backend, receiver: decoder(backend), capacity: 20)
        let sections = Section.defaults(promptLength: prompt.count, sharerCount: 0)
        let full = try session.generate(Prompt(prompt, sections: sections), maxNewTokens: 100)
        // 20 rows hold 16 prompt tokens and 4 new ones; the fifth new token's row is not needed.
        #expect(full.tokens.count == 5 && full.finishReason == .length)
        let end = full.tokens[2]
        let stopped = try session.generate(Prompt(prompt, sections: sections), maxNewTokens: 100, endTokens: [end])
        #expect(stopped.finishReason == .stop)
        #expect(stopped.tokens == Array(full.tokens.prefix { $0 != end }))
    }

    @Test("a sharer's extent fills the same caches as the whole model")
    func extent() throws {
        let backend = ReferenceBackend()
        let whole = try Session(on: backend, receiver: decoder(backend), capacity: 20, cacheType: .f32)
        let sections = [Section(length: 16, sharerMask: -1)]
        try whole.prefill(Prompt(prompt, sections: sections))
        let sharer = try decoder(backend, "sharer", extent: .cacheOnly(layerCount: 2))
        let part = try Session(on: backend, receiver: sharer, capacity: 20, cacheType: .f32)
        try part.prefill(Prompt(prompt, sections: sections))
        #expect(part.receiverCache.keys.count == 2)
        for layer in 0..<2 {
            #expect(
                try backend.read(part.receiverCache.values[layer]) == backend.read(whole.receiverCache.values[layer]))
        }
    }

    @Test("requests that can't be met are refused before anything runs")
    func refused() throws {
        let backend = ReferenceBackend()
        let session = try Session(on: backend, receiver: decoder(backend), capacity: 10)
        for (ids, sections) in [
            ([], []), ([50], [Section(length: 1, sharerMask: -1)]), ([-1], [Section(length: 1, sharerMask: -1)]),
            (Array(repeating: 1, count: 11), [Section(length: 11, sharerMask: -1)]),
            ([1, 2], [Section(length: 1, sharerMask: -1)]),
            ([1, 2], [Section(length: 1, sharerMask: 1), Section(length: 1, sharerMask: -1)]),
        ] {
            #expect(throws: InferenceError.self) { try session.prefill(Prompt(ids, sections: sections)) }
        }
    }

    @Test("prompts answered together get what each gets alone, and so do their continuations", arguments: [2, 512])
    func together(_ chunk: Int) throws {
        let backend = ReferenceBackend()
        let decoder = try decoder(backend)
        func session(_ count: Int) throws -> Session {
            try Session(
                on: backend, receiver: decoder, capacity: 30, cacheType: .f32, sequenceCount: count,
                prefillChunk: chunk)
        }
        func asked(_ ids: [Int]) -> Prompt {
            Prompt(ids, sections: Section.lastApart(promptLength: ids.count, sharerMask: -1))
        }
        var hiding = asked(prompt)
        hiding.hiddenRows = 3..<9
        let prompts = [asked(prompt), asked([7]), hiding, asked(Array(prompt.suffix(5)))]
        let singles = try prompts.map { _ in try session(1) }
        let alone = try zip(singles, prompts).map { try $0.generate($1, maxNewTokens: 12).tokens }
        let all = try session(4)
        // The third is ended after four tokens; the others go on without it.
        var seen = 0
        let together = try all.generate(
            prompts, maxNewTokens: 12,
            onToken: { index, _ in
                if index == 2 { seen += 1 }
                return index != 2 || seen < 4
            })
        #expect(together.enumerated().allSatisfy { $1.tokens == Array(alone[$0].prefix($0 == 2 ? 4 : 12)) })
        #expect(together.map(\.finishReason) == [.length, .length, .stop, .length])

        let longer = zip(prompts, alone).map { asked($0.receiver.ids + $1.prefix(3) + [4]) }
        let kept = try all.generate(Array(longer.prefix(2)), keepsPrefix: true, maxNewTokens: 4)
        for (index, result) in kept.enumerated() {
            let single = try singles[index].generate(longer[index], keepsPrefix: true, maxNewTokens: 4)
            #expect(result.tokens == single.tokens && result.keptTokens == single.keptTokens)
            #expect(result.keptTokens == prompts[index].count + 3)
        }
        #expect(throws: InferenceError.self) { try all.generate(prompts + prompts, maxNewTokens: 1) }
    }

    @Test("sequences that fill their caches leave the others to go on")
    func fullCaches() throws {
        let backend = ReferenceBackend()
        let decoder = try decoder(backend)
        let session = try Session(on: backend, receiver: decoder, capacity: 20, cacheType: .f32, sequenceCount: 3)
        let prompts = [16, 3, 12].map {
            Prompt(Array(prompt.prefix($0)), sections: [Section(length: $0, sharerMask: -1)])
        }
        let results = try session.generate(prompts, maxNewTokens: 100)
        #expect(results.map(\.tokens.count) == [5, 18, 9])
        for (prompt, result) in zip(prompts, results) {
            #expect(try session.generate(prompt, maxNewTokens: 100).tokens == result.tokens)
        }
    }

    @Test("rows that were read with other rows hidden aren't kept")
    func keptUnderHiddenRows() throws {
        let backend = ReferenceBackend()
        let decoder = try decoder(backend)
        func asked(_ ids: [Int], last: Int, hiding rows: Range<Int>?) -> Prompt {
            var prompt = Prompt(
                ids, sections: [ids.count - last, last].map { Section(length: $0, sharerMask: -1) })
            prompt.hiddenRows = rows
            return prompt
        }
        let longer = prompt + [4, 8, 15]
        for (first, second, kept) in [
            // Rows 12 ... 15 and the answer were read without rows 2 ..< 6.
            (asked(prompt, last: 4, hiding: 2..<6), asked(longer, last: 1, hiding: nil), 12),
            (asked(prompt, last: 4, hiding: nil), asked(longer, last: 7, hiding: 2..<6), 12),
            (asked(prompt, last: 4, hiding: 2..<6), asked(longer, last: 7, hiding: 2..<5), 12),
            (asked(prompt, last: 4, hiding: 2..<6), asked(longer, last: 7, hiding: 2..<6), 16),
            (asked(prompt, last: 4, hiding: 2..<6), asked(prompt, last: 4, hiding: 2..<6), 15),
        ] {
            let session = try Session(on: backend, receiver: decoder, capacity: 60, cacheType: .f32)
            _ = try session.generate(first, maxNewTokens: 3)
            let result = try session.generate(second, keepsPrefix: true, maxNewTokens: 5)
            let fresh = try Session(on: backend, receiver: decoder, capacity: 60, cacheType: .f32)
            #expect(try fresh.generate(second, maxNewTokens: 5).tokens == result.tokens)
            #expect(result.keptTokens == kept)
        }
    }

    /// A receiver and a sharer with a random fuser between them, all of whose gates are open.
    private func pair(
        _ backend: any Backend, names: (receiver: String, sharer: String)
    ) throws -> (receiver: Decoder, sharer: Sharer) {
        let open = (0..<3).flatMap { layer in
            CacheHalf.allCases.map { OpenProjection(receiverLayer: layer, sharerLayer: layer, half: $0) }
        }
        let form = FuserDescription(
            sharerKVHeadCount: 2, sharerHeadDim: 8, receiverKVHeadCount: 2, receiverHeadDim: 8, hiddenSize: 24,
            intermediateSize: 32, projectionBlockCount: 1, open: open, projectionCount: 6)
        var weights: [FuserWeightSlot.Role: any StoredTensor] = [:]
        for (index, slot) in form.weightSlots.enumerated() {
            weights[slot.role] = try backend.makeRandomTensor(
                "fuser.\(index)", slot.shape, .f32, seed: UInt32(100 + index), scale: 0.5)
        }
        // As in `decoder`, but of other random numbers.
        var ofSharer: [WeightSlot.Role: any StoredTensor] = [:]
        for (index, slot) in description.weightSlots(.full(description)).enumerated() {
            ofSharer[slot.role] = try backend.makeRandomTensor(
                "\(names.sharer).\(index)", slot.shape, .f32, seed: UInt32(50 + index), scale: 0.5)
        }
        let sharer = try Decoder(
            name: names.sharer, description: description, extent: .full(description), weights: ofSharer)
        return (
            try decoder(backend, names.receiver),
            Sharer(decoder: sharer, fuser: try Fuser(name: "fuser", description: form, weights: weights))
        )
    }

    @Test("two models of one name don't take each other's weights and caches")
    func namesakes() throws {
        func logits(_ names: (receiver: String, sharer: String)) throws -> [Float] {
            let backend = ReferenceBackend()
            let (receiver, sharer) = try pair(backend, names: names)
            let session = try Session(
                on: backend, receiver: receiver, sharers: [sharer], capacity: 30, cacheType: .f32)
            var logits: [Float] = []
            _ = try session.generate(
                Prompt(prompt, sections: Section.defaults(promptLength: prompt.count, sharerCount: 1)),
                maxNewTokens: 3, onStepLogits: { logits += $0 })
            return logits
        }
        #expect(try logits(("model", "model")) == logits(("receiver", "sharer")))
    }

    @Test("rows that were fused with other sharers aren't kept")
    func keptUnderMasks() throws {
        let backend = ReferenceBackend()
        let (receiver, sharer) = try pair(backend, names: ("receiver", "sharer"))
        func session() throws -> Session {
            try Session(on: backend, receiver: receiver, sharers: [sharer], capacity: 60, cacheType: .f32)
        }
        func asked(_ ids: [Int], _ sections: [(Int, Int)]) -> Prompt {
            Prompt(ids, sections: sections.map { Section(length: $0, sharerMask: $1) })
        }
        let longer = prompt + [4, 8, 15]
        for (first, second, kept) in [
            ([(10, 1), (5, -1), (1, -1)], [(18, 1), (1, -1)], 10),
            ([(15, 1), (1, -1)], [(8, -1), (10, 1), (1, -1)], 0),
            ([(15, 1), (1, -1)], [(15, 1), (3, 1), (1, -1)], 16), ([(15, 1), (1, -1)], [(9, 1), (10, -1)], 9),
        ] {
            let used = try session()
            _ = try used.generate(asked(prompt, first), maxNewTokens: 1)
            #expect(try used.generate(asked(longer, second), keepsPrefix: true, maxNewTokens: 1).keptTokens == kept)
        }
    }
}
