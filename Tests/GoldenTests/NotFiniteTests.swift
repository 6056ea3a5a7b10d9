import Foundation
import Inference
import ReferenceBackend
import Testing

/// Answers that would be chosen from logits that are no numbers.
@Suite(.serialized)
struct NotFiniteTests {
    private let description = DecoderDescription(
        family: "test", hiddenSize: 24, intermediateSize: 40, layerCount: 3, headCount: 4, kvHeadCount: 2, headDim: 8,
        vocabularySize: 50, normEpsilon: 1e-6, rope: RoPEDescription(theta: 10_000), hasAttentionBias: true,
        hasQueryKeyNorm: false, tiesEmbeddings: false, maximumContext: 64)

    /// A decoder of random weights, some values of one of them replaced.
    private func decoder(
        _ backend: any Backend, named name: String = "receiver", extent: DecoderExtent? = nil,
        _ role: WeightSlot.Role? = nil, _ change: [Int: Float] = [:]
    ) throws -> Decoder {
        let extent = extent ?? .full(description)
        var weights: [WeightSlot.Role: any StoredTensor] = [:]
        for (index, slot) in description.weightSlots(extent).enumerated() {
            let stored = try backend.makeRandomTensor(
                "\(name).\(index)", slot.shape, .f32, seed: UInt32(index + 1), scale: 0.5)
            weights[slot.role] = stored
            guard slot.role == role else { continue }
            var values = try backend.read(stored)
            for (index, value) in change { values[index] = value }
            weights[slot.role] = try backend.makeTensor(
                "\(name).changed",
                WeightSource(
                    HostMatrix(name: "changed", rows: slot.shape.rows, columns: slot.shape.columns, values: values)),
                type: .f32)
        }
        return try Decoder(name: name, description: description, extent: extent, weights: weights)
    }

    private let prompt = Prompt([3, 14, 15, 9, 2, 6], sections: Section.lastApart(promptLength: 6, sharerMask: -1))

    /// The error of an answer that can't be given.
    private func error(
        of decoder: Decoder, _ backend: any Backend, _ cacheType: ElementType = .f16, temperature: Float = 0
    ) throws -> String {
        var sampling = SamplingSettings()
        sampling.temperature = temperature
        let session = try Session(on: backend, receiver: decoder, capacity: 30, cacheType: cacheType)
        do {
            let result = try session.generate(prompt, maxNewTokens: 5, sampling: sampling)
            Issue.record("answered \(result.tokens)")
            return ""
        } catch let error as InferenceError {
            return error.description
        }
    }

    /// Column of the second key head in the stacked biases of queries (32), keys (16) and values (16).
    private let keyBias = 32 + 9

    @Test(
        "keys beyond what the cache's type holds: the layer, and the type that helps",
        arguments: [TestBackend.reference, .vulkan, .vulkanPlainLoads])
    func overflow(_ backend: TestBackend) throws {
        try backend.run { backend in
            let decoder = try decoder(backend, .queryKeyValueBias(layer: 1), [keyBias: 1e5])
            let text = try error(of: decoder, backend)
            #expect(text.contains("layer 1") && text.contains("key") && text.contains("--kv-dtype bf16"))
            #expect(text.contains("receiver") && text.contains("f16"))
            let session = try Session(on: backend, receiver: decoder, capacity: 30, cacheType: .bf16)
            #expect(try session.generate(prompt, maxNewTokens: 5).tokens.count == 5)
        }
    }

    @Test("keys beyond it that drive scores to minus infinity aren't just left out")
    func silentOverflow() throws {
        try TestBackend.vulkan.run { backend in
            for value in [1e5, -1e5] as [Float] {
                let decoder = try decoder(backend, .queryKeyValueBias(layer: 2), [32: value, 40: value])
                #expect(try error(of: decoder, backend).contains("layer 2"))
            }
        }
    }

    @Test(
        "a weight that is no number: its layer and its name, at the first step and at random",
        arguments: [TestBackend.reference, .vulkan])
    func weights(_ backend: TestBackend) throws {
        try backend.run { backend in
            for (role, place) in [
                (.down(layer: 1), "layer 1"), (.attentionNorm(layer: 2), "layer 2"), (.gateUp(layer: 0), "layer 0"),
                (.finalNorm, "final norm"), (.head, "head"), (.embedding, "embedding"),
                (.queryKeyValue(layer: 0), "layer 0"), (.attentionOutput(layer: 2), "layer 2"),
            ] as [(WeightSlot.Role, String)] {
                for value in role == .down(layer: 1) ? [Float.nan, .infinity] : [.nan] {
                    // In the embedding, column 1 of token 14.
                    let index = role == .embedding ? 14 * 24 + 1 : 3
                    let decoder = try decoder(backend, role, [index: value])
                    for temperature in role == .head ? [0, 0.8] : [0] as [Float] {
                        let text = try error(of: decoder, backend, .bf16, temperature: temperature)
                        #expect(text.contains(place), "\(role): \(text)")
                        #expect(text.contains("weight"), "\(role): \(text)")
                    }
                }
            }
        }
    }

    @Test("an answer that becomes so after some tokens ends there")
    func later() throws {
        for test in [TestBackend.reference, .vulkan] {
            try test.run { backend in
                let session = try Session(on: backend, receiver: decoder(backend), capacity: 30, cacheType: .f32)
                let tokens = try session.generate(prompt, maxNewTokens: 5).tokens
                let last = try #require(tokens.last { !prompt.receiver.ids.contains($0) })
                let place = try #require(tokens.firstIndex(of: last))
                let broken = try Session(
                    on: backend, receiver: decoder(backend, .embedding, [last * 24: .nan]), capacity: 30,
                    cacheType: .f32)
                var seen: [Int] = []
                #expect(throws: InferenceError.self) {
                    _ = try broken.generate(
                        prompt, maxNewTokens: 10,
                        onToken: {
                            seen.append($0)
                            return true
                        })
                }
                #expect(seen == Array(tokens[...place]))
            }
        }
    }

    @Test("a fuser's weight, and a sharer's key beyond the cache's type", arguments: [TestBackend.reference, .vulkan])
    func fused(_ test: TestBackend) throws {
        let open = (0..<3).flatMap { layer in
            CacheHalf.allCases.map { OpenProjection(receiverLayer: layer, sharerLayer: layer, half: $0) }
        }
        let form = FuserDescription(
            sharerKVHeadCount: 2, sharerHeadDim: 8, receiverKVHeadCount: 2, receiverHeadDim: 8, hiddenSize: 24,
            intermediateSize: 32, projectionBlockCount: 1, open: open, projectionCount: 6)
        try test.run { backend in
            func fuser(strange: FuserWeightSlot.Role? = nil, scale: Float = 0.5) throws -> Fuser {
                var weights: [FuserWeightSlot.Role: any StoredTensor] = [:]
                for (index, slot) in form.weightSlots.enumerated() {
                    let count = slot.shape.rows * slot.shape.columns
                    let matrices = (0..<slot.shape.batch).map { batch in
                        var values = (0..<count).map { sin(Float($0 + index + batch)) * scale }
                        if slot.role == strange { values[1] = .nan }
                        return [
                            HostMatrix(
                                name: "w", rows: slot.shape.rows, columns: slot.shape.columns, values: values)
                        ]
                    }
                    weights[slot.role] = try backend.makeTensor(
                        "fuser0.\(slot.role)", WeightSource(batches: matrices), type: .f32)
                }
                return try Fuser(name: "fuser0", description: form, weights: weights)
            }
            func error(_ fuser: Fuser, _ sharer: Decoder, _ type: ElementType) throws -> String {
                let session = try Session(
                    on: backend, receiver: decoder(backend), sharers: [Sharer(decoder: sharer, fuser: fuser)],
                    capacity: 30, cacheType: type)
                let sections = Section.defaults(promptLength: prompt.count, sharerCount: 1)
                do {
                    _ = try session.generate(Prompt(prompt.receiver.ids, sections: sections), maxNewTokens: 3)
                    return "answered"
                } catch let error as InferenceError {
                    return error.description
                }
            }
            let sound = try decoder(backend, named: "sharer")
            let strange = try error(fuser(strange: .blockDown(.input)), sound, .bf16)
            #expect(strange.contains("fuser0") && strange.contains("weight"), "\(strange)")
            let large = try error(
                fuser(), decoder(backend, named: "sharer", .queryKeyValueBias(layer: 1), [keyBias: 1e5]), .f16)
            #expect(large.contains("sharer's layer 1, keys") && large.contains("--kv-dtype bf16"), "\(large)")
            let added = try error(fuser(scale: 40), sound, .f16)
            #expect(added.contains("receiver's layer") && added.contains("--kv-dtype bf16"), "\(added)")
        }
    }
}
