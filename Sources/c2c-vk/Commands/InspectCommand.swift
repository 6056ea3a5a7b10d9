import ArgumentParser
import Chat
import Checkpoints
import Foundation
import Inference
import ModelLoading

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Says what a model's or a fuser's directory holds.")

    @Argument(
        help: "A checkpoint directory, or a fuser's; or its name in the local Hugging Face cache.",
        completion: .directory)
    var directory: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let directory = try HubCache().resolve(directory)
        switch DirectoryKind(directory) {
        case .fuser, .fusers:
            let report = FuserReport(try FuserCheckpoint(directory))
            if json { try Output.json(report) } else { try Output.line(report.text) }
        default:
            let report = try ModelReport(ModelDirectory(directory))
            if json { try Output.json(report) } else { try Output.line(report.text) }
        }
    }
}

/// What a model directory holds.
private struct ModelReport: Encodable {
    struct Tensors: Encodable {
        var type: String
        var count: Int
        var elements: Int
        var bytes: Int
    }

    var kind = "model"
    var family: String
    var layers: Int
    var hidden_size: Int
    var intermediate_size: Int
    var heads: Int
    var kv_heads: Int
    var head_dim: Int
    var vocabulary: Int
    var context: Int
    var rope: String
    var tied_embeddings: Bool
    var end_tokens: [Int]
    var parameters: Int
    var kv_bytes_per_token_f16: Int
    var tensors: [Tensors]
    /// Tokens that its tokenizer knows; null where it has none.
    var tokenizer_tokens: Int?
    var chat_template: Bool
    /// How `chat` draws its tokens, unless told otherwise.
    var sampling: String

    init(_ model: ModelDirectory) throws {
        let text = try ModelText(directory: URL(filePath: model.path))
        tokenizer_tokens = text?.tokenizer.vocabularySize
        chat_template = text?.template != nil
        sampling = try SamplingDefaults(directory: model.path).settings.text
        let description = model.description
        family = description.family
        layers = description.layerCount
        hidden_size = description.hiddenSize
        intermediate_size = description.intermediateSize
        heads = description.headCount
        kv_heads = description.kvHeadCount
        head_dim = description.headDim
        vocabulary = description.vocabularySize
        context = description.trainedContext
        rope = description.rope.scaling.summary
        tied_embeddings = description.tiesEmbeddings
        end_tokens = model.endTokens.sorted()
        kv_bytes_per_token_f16 = 2 * 2 * layers * description.kvWidth
        var byType: [String: Tensors] = [:]
        for name in model.store.names {
            let tensor = try model.store.facts(name)
            var row = byType[tensor.type] ?? Tensors(type: tensor.type, count: 0, elements: 0, bytes: 0)
            row.count += 1
            row.elements += tensor.elementCount
            row.bytes += tensor.byteCount
            byType[tensor.type] = row
        }
        tensors = byType.values.sorted { $0.type < $1.type }
        parameters = tensors.reduce(0) { $0 + $1.elements }
    }

    var text: String {
        var table = Table(["model", family], rightAligned: [1])
        table.add(["layers", String(layers)])
        table.add(["hidden size", String(hidden_size)])
        table.add(["feed-forward size", String(intermediate_size)])
        table.add(["heads", "\(heads) of \(head_dim)"])
        table.add(["KV heads", String(kv_heads)])
        table.add(["vocabulary", String(vocabulary)])
        table.add(["context", String(context)])
        table.add(["RoPE", rope])
        table.add([
            "tokenizer", tokenizer_tokens.map { "\($0) tokens" } ?? "none: prompts are token ids, as --prompt-ids",
        ])
        table.add(["chat template", chat_template ? "yes" : "none: prompts are taken as they are, with --raw"])
        table.add(["sampling in chat", sampling])
        table.add(["LM head", tied_embeddings ? "tied to the embedding" : "its own"])
        table.add(["end tokens", end_tokens.map(String.init).joined(separator: " ")])
        table.add(["parameters", String(parameters)])
        table.add(["KV-cache per token, f16", formatBytes(kv_bytes_per_token_f16)])
        for row in tensors {
            table.add(["\(row.type) tensors", "\(row.count), \(formatBytes(row.bytes))"])
        }
        table.add(["weights", formatBytes(tensors.reduce(0) { $0 + $1.bytes })])
        return table.text
    }
}
