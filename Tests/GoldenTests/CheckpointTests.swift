import Checkpoints
import Foundation
import Inference
import ModelLoading
import ReferenceBackend
import Testing

/// Checkpoints as people have them, rather than as `save_pretrained` leaves them.
@Suite struct CheckpointTests {
    struct Model: Sendable, CustomTestStringConvertible {
        var name: String
        var prompt: [Int]
        /// transformers 5.24.0, float32, greedy.
        var tokens: [Int]
        var testDescription: String { name }
    }

    static let short = [1, 7, 20, 33, 99, 250]
    static let models = [
        Model(name: "tied_with_own_head", prompt: short, tokens: [131, 273, 82, 405]),
        Model(name: "rope_scaling_beside_parameters", prompt: Array(1...59), tokens: [406, 119, 420, 76]),
        Model(name: "unread_type", prompt: short, tokens: [332, 228, 375, 96]),
        Model(name: "qwen3_without_head_dim", prompt: short, tokens: [183, 250, 183, 250]),
        Model(name: "llama3_without_original_context", prompt: Array(1...59), tokens: [192, 249, 348, 394]),
    ]

    private func path(_ name: String) -> URL { GoldenCase.fixtures.appending(path: "models/\(name)") }

    private func answer(_ folder: URL, _ prompt: [Int], on backend: any Backend) throws -> [Int] {
        let model = try ModelDirectory(folder.path)
        let decoder = try model.load(as: "model", extent: .full(model.description), on: backend)
        let session = try Session(on: backend, receiver: decoder, capacity: prompt.count + 4, cacheType: .f32)
        return try session.generate(
            Prompt(prompt, sections: Section.defaults(promptLength: prompt.count, sharerCount: 0)), maxNewTokens: 4
        ).tokens
    }

    @Test("tokens are those of transformers", arguments: models, [TestBackend.reference, .vulkan])
    func tokens(_ model: Model, _ kind: TestBackend) throws {
        try kind.run { backend in
            let tokens = try answer(path(model.name), model.prompt, on: backend)
            #expect(tokens == model.tokens)
        }
    }

    /// A copy of a model with another configuration and other tensors.
    private func variant(
        of name: String, config: (inout String) -> Void = { _ in },
        tensors change: (inout [HostTensor]) throws -> Void = { _ in }
    ) throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "variant-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var text = try String(contentsOf: path(name).appending(path: "config.json"), encoding: .utf8)
        config(&text)
        try text.write(to: folder.appending(path: "config.json"), atomically: true, encoding: .utf8)
        let file = try SafetensorsFile(path(name).appending(path: "model.safetensors").path)
        var tensors = try file.layouts.map { try file.tensor($0.name) }
        try change(&tensors)
        try SafetensorsWriter.write(tensors, to: folder.appending(path: "model.safetensors").path)
        return folder
    }

    private func renamed(_ tensor: HostTensor, _ name: String) throws -> HostTensor {
        try HostTensor(name: name, dtype: tensor.dtype, shape: tensor.shape, bytes: tensor.withBytes { [UInt8]($0) })
    }

    @Test("float64 weights, no max_position_embeddings, and swish, which is silu")
    func otherWriting() throws {
        let model = Self.models[0]
        let folder = try variant(
            of: model.name,
            config: {
                $0 = $0.replacingOccurrences(of: "\"silu\"", with: "\"swish\"")
                    .replacingOccurrences(of: "\"max_position_embeddings\": 2048,", with: "\"nan\": [NaN, -Infinity],")
            },
            tensors: { tensors in
                tensors = try tensors.map { tensor in
                    let bytes = try tensor.floats().flatMap { value in
                        withUnsafeBytes(of: Double(value).bitPattern.littleEndian) { [UInt8]($0) }
                    }
                    return try HostTensor(name: tensor.name, dtype: .f64, shape: tensor.shape, bytes: bytes)
                }
            })
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(try ModelDirectory(folder.path).description.maximumContext == 32_768)
        #expect(try answer(folder, model.prompt, on: ReferenceBackend()) == model.tokens)
    }

    @Test("a head is tied where it equals the embedding, or is all there is")
    func tiedHeads() throws {
        let name = Self.models[0].name
        func tied(_ replace: @escaping ([HostTensor]) throws -> [HostTensor]) throws -> (isTied: Bool, tokens: [Int]) {
            let folder = try variant(of: name, tensors: { $0 = try replace($0) })
            defer { try? FileManager.default.removeItem(at: folder) }
            let isTied = try ModelDirectory(folder.path).description.tiesEmbeddings
            return (isTied, try answer(folder, Self.short, on: ReferenceBackend()))
        }
        let embedding = "model.embed_tokens.weight"
        let plain = try tied { $0.filter { $0.name != "lm_head.weight" } }
        let equal = try tied { all in
            try all.map {
                try $0.name == "lm_head.weight" ? renamed(all.first { $0.name == embedding } ?? $0, $0.name) : $0
            }
        }
        let headOnly = try tied { all in
            try all.filter { $0.name != "lm_head.weight" }
                .map { try $0.name == embedding ? renamed($0, "lm_head.weight") : $0 }
        }
        #expect(plain.isTied && equal.isTied && headOnly.isTied)
        #expect(plain.tokens == equal.tokens && plain.tokens == headOnly.tokens)
        #expect(plain.tokens != Self.models[0].tokens)
        #expect(try !ModelDirectory(path(name).path).description.tiesEmbeddings)
    }

    @Test("without the prefix of the whole model, and untied without a head")
    func otherNames() throws {
        let model = Self.models[0]
        let bare = try variant(
            of: model.name,
            tensors: { tensors in
                tensors = try tensors.map { try renamed($0, $0.name.replacingOccurrences(of: "model.", with: "")) }
            })
        defer { try? FileManager.default.removeItem(at: bare) }
        #expect(try answer(bare, model.prompt, on: ReferenceBackend()) == model.tokens)
        let headless = try variant(
            of: model.name,
            config: {
                $0 = $0.replacingOccurrences(
                    of: "\"tie_word_embeddings\": true", with: "\"tie_word_embeddings\": false")
            },
            tensors: { $0.removeAll { $0.name == "lm_head.weight" } })
        defer { try? FileManager.default.removeItem(at: headless) }
        expectError(containing: "lm_head.weight") { _ = try answer(headless, model.prompt, on: ReferenceBackend()) }
    }

    @Test(
        "quantized checkpoints are named with the way out",
        arguments: [
            (
                #""quantization_config": {"quant_method": "gptq", "bits": 4}"#,
                "quantization_config.quant_method is 'gptq'"
            ),
            (#""quantization_config": {"quant_method": "fp8"}"#, "quantization_config.quant_method is 'fp8'"),
            (#""quantization_config": {"load_in_4bit": true}"#, "bitsandbytes"),
            (#""compression_config": {"quant_method": "compressed-tensors"}"#, "'compressed-tensors'"),
            (#""quantization": {"group_size": 64, "bits": 4}"#, "quantization is there"),
        ])
    func quantizedByConfig(_ field: String, _ words: String) throws {
        let folder = try variant(
            of: Self.models[0].name, config: { $0 = $0.replacing("{", with: "{\(field),", maxReplacements: 1) })
        defer { try? FileManager.default.removeItem(at: folder) }
        expectError(containing: words, "--weights q8_0") { _ = try ModelDirectory(folder.path) }
    }

    @Test(
        "so are those that only their tensors give away",
        arguments: [
            ("qweight", "GPTQ or AWQ"), ("weight.absmax", "bitsandbytes"), ("weight_packed", "compressed-tensors"),
            ("weight_scale_inv", "FP8"),
        ])
    func quantizedByTensors(_ suffix: String, _ words: String) throws {
        let weight = "model.layers.0.self_attn.q_proj.weight"
        let quantized = try variant(
            of: Self.models[0].name,
            tensors: { tensors in
                tensors = try tensors.map { tensor in
                    guard tensor.name == weight else { return tensor }
                    let name = weight.replacingOccurrences(of: "weight", with: suffix)
                    return try HostTensor(name: name, dtype: .i32, shape: [1], bytes: [0, 0, 0, 0])
                }
            })
        defer { try? FileManager.default.removeItem(at: quantized) }
        expectError(containing: words, suffix, "--weights q8_0") { _ = try ModelDirectory(quantized.path) }
    }

    private func expectError(
        containing words: String..., sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
    ) {
        do {
            try body()
            Issue.record("nothing was thrown", sourceLocation: sourceLocation)
        } catch {
            let message = "\(error)"
            for word in words { #expect(message.contains(word), "\(message)", sourceLocation: sourceLocation) }
        }
    }

    /// A call's rotations depend on where it ends, however it is cut into runs, and those of earlier prompts leave nothing behind.
    @Test("dynamic scaling in chunks, again and together with others", arguments: [TestBackend.reference, .vulkan])
    func dynamicInChunks(_ kind: TestBackend) throws {
        let golden = try GoldenCase("llama_dynamic_long")
        try kind.run { backend in
            let loaded = try LoadedCase(golden, on: backend)
            let session = try loaded.session(withSharers: true, cacheType: .f32, chunk: 7)
            let prompt = golden.expectations[0].prompt
            let longer = Prompt(
                Array(prompt.receiver.ids.reversed()) + [3, 4, 5],
                sections: [Section(length: prompt.count + 3, sharerMask: -1)])
            _ = try session.generate(longer, maxNewTokens: 3)
            let again = try session.generate(prompt, maxNewTokens: golden.maxNewTokens)
            #expect(again.tokens == golden.expectations[0].tokens)
        }
    }
}
