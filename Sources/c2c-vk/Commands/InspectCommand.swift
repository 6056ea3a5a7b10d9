import ArgumentParser
import Checkpoints
import Inference
import ModelLoading

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Says what a model's or a fuser's directory holds.")

    @Argument(help: "A checkpoint directory, or a fuser's; or its name in the local Hugging Face cache.")
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

    init(_ model: ModelDirectory) throws {
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
        table.add(["LM head", tied_embeddings ? "tied to the embedding" : "its own"])
        table.add(["end tokens", end_tokens.map(String.init).joined(separator: " ")])
        table.add(["parameters", String(parameters)])
        table.add(["KV-cache per token, f16", formatBytes(kv_bytes_per_token_f16)])
        for row in tensors {
            table.add(["\(row.type) tensors", "\(row.count), \(formatBytes(row.bytes))"])
        }
        return table.text
    }
}

/// What a fuser directory holds.
private struct FuserReport: Encodable {
    struct Layer: Encodable {
        var receiver_layer: Int
        var sharer_layer: Int
        var projector: Int
        var key_gate_logit: Float
        var value_gate_logit: Float
        var key_open: Bool
        var value_open: Bool
    }

    /// What config.json says of how it was trained.
    struct Training: Encodable {
        var receiver: String?
        var sharer: String?
        var aligned: Bool
        var alignment_strategy: String?
        var mapping: String?
        var fusion: String?

        init(_ training: FuserTraining) {
            receiver = training.baseModel
            sharer = training.teacherModel
            aligned = training.isAligned
            alignment_strategy = training.isAligned ? (training.alignmentStrategy ?? .first).rawValue : nil
            mapping = training.mappingName
            fusion = training.fusionMode?.rawValue
        }

        var text: String {
            let tokens = aligned ? "aligned (\(alignment_strategy ?? ""))" : "the receiver's for both"
            let rest = [mapping.map { "layer mapping: \($0)" }, fusion.map { "fusion: \($0)" }].compactMap { $0 }
            return "receiver: \(receiver ?? "not named"), sharer: \(sharer ?? "not named")\n"
                + (["trained with tokens: \(tokens)"] + rest).joined(separator: ", ")
        }
    }

    var kind = "fuser"
    var projector_class = "C2CProjector"
    /// Nil where there is no config.json.
    var training: Training?
    var sharer_kv_heads: Int
    var sharer_head_dim: Int
    var receiver_kv_heads: Int
    var receiver_head_dim: Int
    var hidden_size: Int
    var intermediate_size: Int
    var open_projections: Int
    var projections: Int
    var open_parameters: Int
    var layers: [Layer]

    init(_ fuser: FuserCheckpoint) {
        let description = fuser.description
        training = fuser.directory.training.map(Training.init)
        sharer_kv_heads = description.sharerKVHeadCount
        sharer_head_dim = description.sharerHeadDim
        receiver_kv_heads = description.receiverKVHeadCount
        receiver_head_dim = description.receiverHeadDim
        hidden_size = description.hiddenSize
        intermediate_size = description.intermediateSize
        open_projections = description.open.count
        projections = description.projectionCount
        open_parameters = description.weightSlots.reduce(0) { $0 + $1.shape.count }
        layers = fuser.directory.mapping.sorted { $0.key < $1.key }.map { layer, source in
            let gates = fuser.gateLogits[layer] ?? [:]
            let (key, value) = (gates[.key] ?? 0, gates[.value] ?? 0)
            return Layer(
                receiver_layer: layer, sharer_layer: source.sharerLayer, projector: source.projector,
                key_gate_logit: key, value_gate_logit: value, key_open: key > 0, value_open: value > 0)
        }
    }

    var text: String {
        var table = Table(
            ["receiver layer", "sharer layer", "projector", "key gate", "value gate"], rightAligned: [0, 1, 2, 3, 4])
        func gate(_ logit: Float, _ isOpen: Bool) -> String {
            Double(logit).decimals(3) + (isOpen ? " open  " : " closed")
        }
        for layer in layers {
            table.add([
                String(layer.receiver_layer), String(layer.sharer_layer), String(layer.projector),
                gate(layer.key_gate_logit, layer.key_open), gate(layer.value_gate_logit, layer.value_open),
            ])
        }
        return """
            \(projector_class): sharer \(sharer_kv_heads) KV heads of \(sharer_head_dim), receiver \
            \(receiver_kv_heads) of \(receiver_head_dim), hidden size \(hidden_size), intermediate \(intermediate_size)
            \(training?.text ?? "no config.json, so the models it was trained for aren't named")
            \(open_projections) of \(projections) gates open, \(open_parameters) parameters to compute

            \(table.text)
            """
    }
}
