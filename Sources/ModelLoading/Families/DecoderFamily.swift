import Checkpoints
import Inference

/// A model family: how its `config.json` describes the one decoder that the engine computes.
///
/// Adding a family is one file beside this one and a line in `all`.
public struct DecoderFamily: Sendable {
    /// `model_type` in `config.json`.
    public var modelType: String
    /// What the family changes in a description made from the fields that all share, and what it refuses.
    var adapt: @Sendable (_ description: inout DecoderDescription, _ config: ConfigObject) throws -> Void

    static let all: [DecoderFamily] = [.qwen2, .qwen3, .llama]

    /// The description of a model.
    /// - Throws: `LoadingError.unsupported` for a family or an option that is not computed here;
    ///   `CheckpointError` for a field that is missing or out of range.
    public static func describe(_ config: ConfigObject) throws -> DecoderDescription {
        let modelType = try config.string("model_type")
        guard let family = all.first(where: { $0.modelType == modelType }) else {
            throw LoadingError.unsupported(
                "\(config.file): model_type is \"\(modelType)\"; supported are "
                    + all.map(\.modelType).joined(separator: ", "))
        }
        var description = try shared(config, family: modelType)
        try family.adapt(&description, config)
        return description
    }

    /// The fields that all families have, with transformers' defaults.
    private static func shared(_ config: ConfigObject, family: String) throws -> DecoderDescription {
        let activation = try config.optionalString("hidden_act") ?? "silu"
        guard activation == "silu" else {
            throw LoadingError.unsupported("\(config.file): hidden_act is \"\(activation)\"; only silu is supported")
        }
        let hiddenSize = try config.int("hidden_size", in: 1...1_000_000)
        let headCount = try config.int("num_attention_heads", in: 1...4096)
        let kvHeadCount = try config.int("num_key_value_heads", in: 1...4096, default: headCount)
        guard headCount % kvHeadCount == 0 else {
            throw config.invalid("num_key_value_heads", expected: "a divisor of num_attention_heads, \(headCount)")
        }
        let headDim = try config.int("head_dim", in: 1...4096, default: hiddenSize / headCount)
        guard headDim % 8 == 0, headDim <= 256 else {
            throw LoadingError.unsupported(
                "\(config.file): heads have \(headDim) columns; supported are multiples of 8 up to 256")
        }
        return DecoderDescription(
            family: family, hiddenSize: hiddenSize,
            intermediateSize: try config.int("intermediate_size", in: 1...10_000_000),
            layerCount: try config.int("num_hidden_layers", in: 1...10_000), headCount: headCount,
            kvHeadCount: kvHeadCount, headDim: headDim,
            vocabularySize: try config.int("vocab_size", in: 1...100_000_000),
            normEpsilon: Float(try config.double("rms_norm_eps", in: 0...1, default: 1e-6)),
            rope: try rope(config), tiesEmbeddings: try config.bool("tie_word_embeddings", default: false),
            maximumContext: try config.int("max_position_embeddings", in: 1...100_000_000))
    }

    private static func rope(_ config: ConfigObject) throws -> RoPEDescription {
        // Newer files keep everything about RoPE in one object.
        let parameters = try config.optionalObject("rope_parameters")
        let bases = 1e-3...1e12
        let theta =
            try parameters?.optionalDouble("rope_theta", in: bases)
            ?? config.double("rope_theta", in: bases, default: 10_000)
        guard let scaling = try parameters ?? config.optionalObject("rope_scaling") else {
            return RoPEDescription(theta: theta)
        }
        let kind = try scaling.optionalString("rope_type") ?? scaling.optionalString("type") ?? "default"
        switch kind {
        case "default":
            return RoPEDescription(theta: theta)
        case "llama3":
            let factors = 1e-3...1e6
            let low = try scaling.double("low_freq_factor", in: factors)
            let high = try scaling.double("high_freq_factor", in: factors)
            guard high > low else {
                throw scaling.invalid("high_freq_factor", expected: "more than low_freq_factor, \(low)")
            }
            return RoPEDescription(
                theta: theta,
                scaling: .llama3(
                    factor: try scaling.double("factor", in: factors), lowFrequencyFactor: low,
                    highFrequencyFactor: high,
                    originalContext: try scaling.int("original_max_position_embeddings", in: 1...100_000_000)))
        default:
            throw LoadingError.unsupported(
                "\(config.file): RoPE scaling \"\(kind)\" is not supported; supported are default and llama3")
        }
    }
}
