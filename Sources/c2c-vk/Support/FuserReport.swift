import Checkpoints
import Foundation
import Inference
import ModelLoading

/// What a fuser directory holds.
struct FuserReport: Encodable {
    struct Layer: Encodable {
        var receiver_layer: Int
        var sharer_layer: Int
        var projector: Int
        var key_gate_logit: Float
        var value_gate_logit: Float
        var key_open: Bool
        var value_open: Bool
    }

    var kind = "fuser"
    var projector_class: String
    /// As its config.json names them; null where it has none, as the four that follow.
    var receiver_model: String?
    var sharer_model: String?
    var mapping: String?
    /// How tokens of different tokenizers were paired: none, first or longest.
    var alignment: String?
    var training: FuserTraining.History?
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
        projector_class = fuser.directory.projectors.first?.className ?? ""
        let training = fuser.directory.training
        receiver_model = training?.baseModel
        sharer_model = training?.teacherModel
        mapping = training?.mappingName
        alignment = training.map { $0.isAligned ? ($0.alignmentStrategy ?? .first).rawValue : "none" }
        self.training = training?.history
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
        var lines: [String] = []
        if let receiver_model { lines.append("receiver: \(quoted(receiver_model))") }
        if let sharer_model { lines.append("sharer: \(quoted(sharer_model))") }
        lines.append(
            "\(projector_class): sharer \(sharer_kv_heads) KV heads of \(sharer_head_dim), receiver "
                + "\(receiver_kv_heads) of \(receiver_head_dim), hidden size \(hidden_size), intermediate \(intermediate_size)"
        )
        if let trained { lines.append("trained: \(trained)") }
        lines.append("\(open_projections) of \(projections) gates open, \(open_parameters) parameters to compute")
        lines.append(
            "keys are fused in layers \(list(\.key_open)), values in layers \(list(\.value_open))")
        return lines.joined(separator: "\n") + "\n\n" + gates.text
    }

    private var trained: String? {
        var parts: [String] = []
        if let training {
            let samples = training.samples.map { "\($0) samples" }
            if let dataset = training.dataset {
                parts.append((samples.map { "\($0) of " } ?? "on ") + quoted(dataset))
            } else if let samples {
                parts.append(samples)
            }
            if let epochs = training.epochs { parts.append("\(epochs.formatted()) epoch\(epochs == 1 ? "" : "s")") }
            if let steps = training.steps { parts.append("\(steps) steps") }
            if let rate = training.learningRate { parts.append("learning rate \(rate)") }
            if let length = training.maximumLength { parts.append("at most \(length) tokens") }
        }
        if let mapping { parts.append("layers mapped \(quoted(mapping))") }
        if let alignment {
            parts.append(alignment == "none" ? "tokens as the receiver's" : "tokens aligned, \(alignment)")
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    /// The receiver's layers whose gate is open, as 0-3,5; none if there is none.
    private func list(_ isOpen: (Layer) -> Bool) -> String {
        var ranges: [ClosedRange<Int>] = []
        for layer in layers.filter(isOpen).map(\.receiver_layer) {
            if let last = ranges.last, last.upperBound + 1 == layer {
                ranges[ranges.count - 1] = last.lowerBound...layer
            } else {
                ranges.append(layer...layer)
            }
        }
        let texts = ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
        return texts.isEmpty ? "none" : texts.joined(separator: ",")
    }

    private var gates: Table {
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
        return table
    }
}
