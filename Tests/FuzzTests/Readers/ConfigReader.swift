import Chat
import Checkpoints
import Foundation
import Inference
import ModelLoading

/// The small files of a model's and a fuser's directory, one of them replaced by the bytes.
enum ConfigReader {
    private static let modelFiles = [
        "config.json": """
        {"model_type":"qwen3","hidden_size":64,"intermediate_size":64,"num_hidden_layers":1,"num_attention_heads":4,
        "num_key_value_heads":2,"head_dim":16,"vocab_size":4,"max_position_embeddings":64}
        """,
        "generation_config.json": #"{"eos_token_id":[1,2]}"#,
        "model.safetensors.index.json": #"{"weight_map":{"model.norm.weight":"model-1.safetensors"}}"#,
        "tokenizer.json": TokenizerReader.small,
        "tokenizer_config.json": #"{"eos_token":"a","chat_template":"{{ messages }}"}"#,
        "special_tokens_map.json": #"{"pad_token":{"content":"b"}}"#,
    ]

    private static let fuserFiles = [
        "fuser/config.json": #"{"model":{"base_model":"a/b","teacher_model":"c/d"}}"#,
        "fuser/final/projector_config.json": #"{"0":{"1":{"0":[[0,0]]}}}"#,
        "fuser/final/projector_0.json": """
        {"class":"C2CProjector","init_args":{"source_dim":8,"target_dim":8,"source_num_heads":2,"target_num_heads":2,
        "hidden_dim":16,"num_layers":3}}
        """,
        "fuser/final/projector_0.pt": "",
    ]

    static func read(_ bytes: [UInt8]) throws {
        let file = NamedFile(bytes, names: ["config.json"] + modelFiles.keys + fuserFiles.keys)
        let original = (modelFiles[file.name] ?? fuserFiles[file.name] ?? "").utf8
        let place = try place.get()
        try place.write(file.name, file.contents)
        defer { _ = try? place.write(file.name, original) }
        if file.name.hasPrefix("fuser/") {
            _ = try FuserCheckpoint(place.url.appending(path: "fuser").path)
        } else {
            try readModel(place.url)
        }
    }

    private static let place = Result {
        try Workplace("config", modelFiles.merging(fuserFiles) { first, _ in first })
    }

    private static func readModel(_ directory: URL) throws {
        let model = try ModelDirectory(directory.path)
        let shape = model.description
        let cache = shape.kvWidth * 2 * shape.layerCount
        guard shape.queryWidth > 0, cache > 0, shape.queryWidth.isMultiple(of: shape.kvHeadCount) else {
            throw BrokenPromise("a decoder without width: \(shape)")
        }
        if shape.headDim <= 4096 { _ = shape.rope.inverseFrequencies(headDim: shape.headDim) }
        guard let text = try ModelText(directory: directory) else { throw BrokenPromise("a tokenizer not found") }
        _ = try text.template?.render(
            [ChatMessage(.user, "ab")], addGenerationPrompt: true, thinking: false)
    }
}
