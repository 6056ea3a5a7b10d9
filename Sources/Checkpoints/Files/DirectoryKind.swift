import Foundation

/// What a directory holds, by the names of its files: to say so where something else was expected.
public enum DirectoryKind {
    case model, fuser
    /// Several fusers in folders of their own, such as a snapshot of `nics-efc/C2C_Fuser`; the folders' names.
    case fusers([String])
    /// A LoRA adapter, and the model it changes, where it says so.
    case adapter(base: String?)
    /// Weights in a file that isn't read, by its name, and what to do about it.
    case otherFormat(file: String, way: String)
    case unknown

    public init(_ directory: String) {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
        if Self.isFuser(directory) {
            self = .fuser
            return
        }
        let fusers = names.filter { Self.isFuser(join(directory, $0)) }
        let hasWeights = names.contains { $0.hasSuffix(".safetensors") || $0.hasSuffix(".safetensors.index.json") }
        if names.contains("adapter_config.json"), !names.contains("config.json") {
            let config = try? ConfigFile(join(directory, "adapter_config.json")).root
            self = .adapter(base: config.flatMap { try? $0.optionalString("base_model_name_or_path") })
        } else if names.contains("config.json"), fusers.isEmpty, hasWeights {
            self = .model
        } else if !fusers.isEmpty {
            self = .fusers(fusers)
        } else if !hasWeights, let (file, way) = Self.otherFormat(names, directory) {
            self = .otherFormat(file: file, way: way)
        } else {
            self = names.contains("config.json") ? .model : .unknown
        }
    }

    /// A fuser's directory, or the folder in it with its projectors.
    private static func isFuser(_ directory: String) -> Bool {
        ["projector_config.json", "final/projector_config.json"].contains { exists(join(directory, $0)) }
    }

    private static func otherFormat(_ names: [String], _ directory: String) -> (file: String, way: String)? {
        let convert =
            "convert it in Python with AutoModelForCausalLM.from_pretrained(DIR).save_pretrained(OUT, "
            + "safe_serialization=True)"
        let formats: [(matches: (String) -> Bool, way: String)] = [
            ({ $0.lowercased().hasSuffix(".gguf") }, gguf),
            ({ $0.hasPrefix("pytorch_model") && $0.contains(".bin") }, convert),
            ({ $0.hasPrefix("consolidated.") && $0.hasSuffix(".pth") }, "get the same model's files for transformers"),
            (
                { $0 == "tf_model.h5" || $0 == "flax_model.msgpack" || $0.hasSuffix(".onnx") },
                "get its safetensors files"
            ),
        ]
        for (matches, way) in formats {
            if let file = names.first(where: matches) { return (file, way) }
        }
        return nil
    }

    private static let gguf =
        "get the model it was made from, with config.json, tokenizer.json and safetensors (hf download ORG/REPO), and give "
        + "--weights q8_0 or q4_0 for weights as small"

    /// - Throws: `CheckpointError` for a directory that holds something else than a model, or a file.
    public static func requireModel(_ path: String) throws {
        try requireDirectoryOfWeights(path)
        switch DirectoryKind(path) {
        case .fuser:
            throw CheckpointError(
                .unsupported, path, "is a fuser's directory, not a model's; give it with --fuser, and a model here")
        case .fusers(let names):
            throw CheckpointError(
                .unsupported, path,
                "holds fusers (\(names.joined(separator: ", "))), not a model; give one with --fuser")
        case .adapter(let base):
            throw CheckpointError(.unsupported, path, adapterAdvice(base))
        case .otherFormat(let file, let way):
            throw CheckpointError(
                .unsupported, path, "holds \(file), but models are read from safetensors only; \(way)")
        case .model, .unknown: break
        }
    }

    /// - Throws: `CheckpointError` for a directory that holds something else than a fuser, or a file.
    public static func requireFuser(_ path: String) throws {
        try requireDirectoryOfWeights(path)
        let expected = "holds no projector_config.json"
        switch DirectoryKind(path) {
        case .fuser: break
        case .fusers(let names):
            throw CheckpointError(
                .missing, path, "holds \(names.count) fusers; add the name of one: \(names.joined(separator: ", "))")
        case .model:
            throw CheckpointError(
                .unsupported, path,
                "\(expected): it is a model's directory, not a fuser's; give it with --sharer or --receiver")
        case .adapter(let base):
            throw CheckpointError(.unsupported, path, "\(expected) and \(adapterAdvice(base))")
        case .otherFormat, .unknown:
            throw CheckpointError(
                .missing, path, "\(expected); give the fuser's directory (config.json and final/)")
        }
    }

    private static func requireDirectoryOfWeights(_ path: String) throws {
        if !isDirectory(path), exists(path), path.lowercased().hasSuffix(".gguf") {
            throw CheckpointError(.unsupported, path, "is a GGUF file, which isn't read; \(gguf)")
        }
        try requireDirectory(path)
    }

    private static func adapterAdvice(_ base: String?) -> String {
        "is a LoRA adapter\(base.map { " of \(quoted($0))" } ?? ""), not a whole model (adapter_config.json); merge it in Python with "
            + "AutoPeftModelForCausalLM.from_pretrained(DIR).merge_and_unload().save_pretrained(OUT)"
    }
}
