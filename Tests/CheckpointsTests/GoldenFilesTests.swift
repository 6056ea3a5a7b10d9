import Checkpoints
import Foundation
import Testing

/// Real files, by transformers and PyTorch. The expected numbers were computed with NumPy from the raw bytes.
struct GoldenFilesTests {
    private func expect(
        _ tensor: HostTensor, _ dtype: TensorType, _ shape: [Int], sum: Double, absolute: Double, first: Float,
        last: Float, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let values = try tensor.floats()
        #expect(tensor.dtype == dtype && tensor.shape == shape, sourceLocation: sourceLocation)
        #expect(values.count == tensor.elementCount, sourceLocation: sourceLocation)
        let total = values.reduce(into: (sum: 0.0, absolute: 0.0)) {
            $0.sum += Double($1)
            $0.absolute += Double(abs($1))
        }
        #expect(abs(total.sum - sum) < 1e-6, sourceLocation: sourceLocation)
        #expect(abs(total.absolute - absolute) < 1e-6, sourceLocation: sourceLocation)
        #expect(values.first == first && values.last == last, sourceLocation: sourceLocation)
    }

    private func files(_ suffix: String) throws -> [String] {
        let root = golden("")
        let all = try #require(FileManager.default.enumerator(atPath: root)).compactMap { $0 as? String }
        return all.filter { $0.hasSuffix(suffix) }.map { "\(root)/\($0)" }
    }

    @Test func everySafetensorsFileOpens() throws {
        let paths = try files(".safetensors")
        #expect(paths.count >= 36)
        for path in paths {
            let file = try SafetensorsFile(path)
            #expect(!file.layouts.isEmpty)
            for layout in file.layouts {
                #expect(try file.tensor(layout.name).floats().allSatisfy(\.isFinite))
            }
        }
    }

    @Test func everyTorchFileOpens() throws {
        let paths = try files(".pt")
        #expect(paths.count >= 54)
        for path in paths {
            let file = try TorchFile(path)
            #expect(file.tensors.count >= 20)
            for tensor in file.tensors.values {
                #expect(tensor.dtype == .bf16 && tensor.file == path)
                #expect(try tensor.floats().allSatisfy(\.isFinite))
            }
        }
    }

    @Test func readsAModelInBFloat16() throws {
        let store = try TensorStore(golden("qwen3_from_qwen2/receiver"))
        #expect(store.names.count == 57)
        try expect(
            store.tensor("model.embed_tokens.weight"), .bf16, [432, 64], sum: 2.5525383949279785,
            absolute: 22093.447033405304, first: 1.3671875, last: 0.06787109375)
        try expect(
            store.tensor("model.layers.3.self_attn.q_norm.weight"), .bf16, [32], sum: 31.640625, absolute: 31.640625,
            first: 0.828125, last: 1.109375)
    }

    @Test func readsAModelInFloat32() throws {
        let file = try SafetensorsFile(golden("k_nearest_deep_sharer/sharer/model.safetensors"))
        #expect(file.layouts.count == 86 && file.metadata == ["format": "pt"])
        try expect(
            file.tensor("model.embed_tokens.weight"), .f32, [432, 64], sum: 156.5540199358204,
            absolute: 21999.934059019273, first: 1.210303783416748, last: -1.9194111824035645)
        try expect(
            file.tensor("model.norm.weight"), .f32, [64], sum: 65.07216703891754, absolute: 65.07216703891754,
            first: 1.0885674953460693, last: 0.8458031415939331)
    }

    @Test func readsAShardedModelInFloat16() throws {
        let store = try TensorStore(golden("sharded_f16/receiver"))
        #expect(store.names.count == 58)
        #expect(try store.names.map { try store.tensor($0).byteCount }.reduce(0, +) == 542_720)
        try expect(
            store.tensor("lm_head.weight"), .f16, [432, 64], sum: -11.686768651008606, absolute: 4442.120124220848,
            first: 0.388671875, last: -0.10235595703125)
        try expect(
            store.tensor("model.layers.0.input_layernorm.weight"), .f16, [64], sum: 63.942138671875,
            absolute: 63.942138671875, first: 0.65771484375, last: 0.7568359375)
        try expect(
            store.tensor("model.embed_tokens.weight"), .f16, [432, 64], sum: -192.30234277248383,
            absolute: 22108.204763531685, first: -2.36328125, last: 0.1397705078125)
    }

    @Test func readsExpectedNumbers() throws {
        let file = try SafetensorsFile(golden("qwen3_from_qwen2/expected.safetensors"))
        #expect(file.layouts.count == 31 && file.metadata.isEmpty)
        try expect(
            file.tensor("c2c.step_logits"), .f32, [24, 432], sum: -3532.7847438156605, absolute: 67690.37462106347,
            first: -4.6727614402771, last: 11.984845161437988)
        try expect(
            file.tensor("fused.key.4"), .f32, [2, 51, 32], sum: 310.47502975864336, absolute: 3875.5583841311745,
            first: -0.5973320007324219, last: 0.027179397642612457)
    }

    @Test func readsAFuser() throws {
        let fuser = try FuserDirectory(golden("qwen3_from_qwen2/fuser"))
        #expect(fuser.mapping.mapValues(\.sharerLayer) == [0: 0, 1: 0, 2: 1, 3: 2, 4: 3])
        #expect(fuser.mapping.mapValues(\.projector) == [0: 0, 1: 1, 2: 2, 3: 3, 4: 4])
        let projector = try fuser.projector(0)
        #expect(projector.hiddenDim == 32 && projector.intermediateDim == 48 && projector.layers == 3)
        let state = try projector.state()
        #expect(state.tensors.count == 33)
        func expectTensor(
            _ name: String, _ shape: [Int], sum: Double, absolute: Double, first: Float, last: Float
        ) throws {
            let tensor = try #require(state.tensor(name))
            try expect(tensor, .bf16, shape, sum: sum, absolute: absolute, first: first, last: last)
        }
        try expectTensor(
            "key_gate_logit", [], sum: -1.2578125, absolute: 1.2578125, first: -1.2578125, last: -1.2578125)
        try expectTensor(
            "value_gate_logit", [], sum: 0.49609375, absolute: 0.49609375, first: 0.49609375, last: 0.49609375)
        try expectTensor(
            "key_in.weight", [32, 96], sum: 6.487547341734171, absolute: 298.1945461668074, first: 0.0123291015625,
            last: -0.2099609375)
        try expectTensor(
            "value_proj_out.weight", [64, 32], sum: -26.763869285583496, absolute: 345.07606410980225,
            first: -0.1162109375, last: 0.2236328125)
        try expectTensor(
            "value_proj_out.bias", [64], sum: -3.8451385498046875, absolute: 12.845138549804688, first: 0.0830078125,
            last: 0.234375)
    }

    @Test func everyFuserOpens() throws {
        let paths = try files("/config.json").map { ($0 as NSString).deletingLastPathComponent }
            .filter { ($0 as NSString).lastPathComponent.hasPrefix("fuser") }
        #expect(paths.count >= 11)
        for path in paths {
            let fuser = try FuserDirectory(path)
            #expect(fuser.training?.baseModel == "receiver" && fuser.training?.isAligned != nil)
            #expect(fuser.mapping.count == fuser.projectors.count)
            #expect(["C2CProjector", "AllInOneProjector"].contains(fuser.projectors[0].className))
        }
        let aligned = try FuserDirectory(golden("qwen3_from_llama_aligned/fuser"))
        #expect(aligned.training?.isAligned == true)
    }

    @Test func readsAModelConfiguration() throws {
        let root = try ConfigFile(golden("qwen3_from_qwen2/receiver/config.json")).root
        #expect(try root.int("hidden_size", in: 1...1_000_000) == 64)
        #expect(try root.double("rms_norm_eps", in: 0...1) == 1e-6)
        #expect(try root.double("rope_theta", in: 1...1e9) == 1_000_000)
        #expect(try root.integers("eos_token_id", in: 0...1_000_000) == [422])
        #expect(try root.optionalObject("rope_scaling") == nil)
        #expect(try root.strings("architectures") == ["Qwen3ForCausalLM"])
    }
}
