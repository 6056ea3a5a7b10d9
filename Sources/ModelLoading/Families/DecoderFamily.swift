import Checkpoints
import Inference

/// A model family: how its `config.json` describes the one decoder that the engine computes.
///
/// Adding a family is one file beside this one and a line in `all`.
public struct DecoderFamily: Sendable {
    /// What fields are where `config.json` leaves them out: the defaults of transformers' configuration class.
    struct Defaults: Sendable {
        var vocabularySize: Int
        var intermediateSize: Int
        var maximumContext: Int
        /// Nil takes as many as there are heads.
        var kvHeadCount: Int?
        /// Nil divides the hidden size among the heads.
        var headDim: Int?
        var endTokens: [Int] = []
    }

    /// `model_type` in `config.json`.
    public var modelType: String
    var defaults: Defaults
    /// What the family changes in a description made from the fields that all share, and what it refuses.
    var adapt: @Sendable (_ description: inout DecoderDescription, _ config: ConfigObject) throws -> Void

    static let all: [DecoderFamily] = [.qwen2, .qwen3, .llama]

    /// The description of a model.
    /// - Throws: `LoadingError.unsupported` for a family or an option that is not computed here;
    ///   `CheckpointError` for a field that is missing or out of range.
    public static func describe(_ config: ConfigObject) throws -> DecoderDescription {
        let family = try family(config)
        try Quantization.refuse(config)
        var description = try family.shared(config)
        try family.adapt(&description, config)
        return description
    }

    /// Some files say -1 for "none".
    static let endTokenIDs = -1...Int(UInt32.max)

    /// The ids that end an answer, where only `config.json` is asked.
    /// - Throws: as `describe`.
    public static func endTokens(_ config: ConfigObject) throws -> [Int] {
        let ids = try config.optionalIntegers("eos_token_id", in: endTokenIDs)
        return try ids ?? (config.isNull("eos_token_id") ? [] : family(config).defaults.endTokens)
    }

    private static func family(_ config: ConfigObject) throws -> DecoderFamily {
        let modelType = try config.string("model_type")
        guard let family = all.first(where: { $0.modelType == modelType }) else {
            throw LoadingError.unsupported(
                "\(config.file): model_type is \"\(modelType)\"; supported are "
                    + all.map(\.modelType).joined(separator: ", "))
        }
        return family
    }

    /// The fields that all families have.
    private func shared(_ config: ConfigObject) throws -> DecoderDescription {
        let activation = try config.optionalString("hidden_act") ?? "silu"
        // Two names of one function.
        guard activation == "silu" || activation == "swish" else {
            throw LoadingError.unsupported(
                "\(config.file): hidden_act is \(quoted(activation)); only silu, also called swish, is supported")
        }
        let contexts = 1...100_000_000
        let hiddenSize = try config.int("hidden_size", in: 1...1_000_000, default: 4096)
        let headCount = try config.int("num_attention_heads", in: 1...4096, default: 32)
        let kvHeadDefault = config.isNull("num_key_value_heads") ? nil : defaults.kvHeadCount
        let kvHeadCount = try config.int("num_key_value_heads", in: 1...4096, default: kvHeadDefault ?? headCount)
        guard headCount % kvHeadCount == 0 else {
            throw config.invalid(
                "num_key_value_heads", "must divide num_attention_heads, \(headCount); here it is \(kvHeadCount)")
        }
        let headDim = try config.int("head_dim", in: 1...4096, default: defaults.headDim ?? hiddenSize / headCount)
        guard headDim % 8 == 0, headDim <= 256 else {
            throw LoadingError.unsupported(
                "\(config.file): heads have \(headDim) columns; supported are multiples of 8 up to 256")
        }
        let trainedContext = try config.int("max_position_embeddings", in: contexts, default: defaults.maximumContext)
        let rope = try RoPEConfig.read(config, headDim: headDim, maximumContext: trainedContext)
        return DecoderDescription(
            family: modelType, hiddenSize: hiddenSize,
            intermediateSize: try config.int(
                "intermediate_size", in: 1...10_000_000, default: defaults.intermediateSize),
            layerCount: try config.int("num_hidden_layers", in: 1...10_000, default: 32), headCount: headCount,
            kvHeadCount: kvHeadCount, headDim: headDim,
            vocabularySize: try config.int("vocab_size", in: 1...100_000_000, default: defaults.vocabularySize),
            normEpsilon: Float(try config.double("rms_norm_eps", in: 0...1, default: 1e-6)),
            rope: rope, tiesEmbeddings: try config.bool("tie_word_embeddings", default: false),
            trainedContext: trainedContext,
            maximumContext: min(contexts.upperBound, rope.scaling.reach(trainedContext)))
    }
}

extension RoPEScaling {
    /// The rows that a model reads with this scaling, whose `max_position_embeddings` are given. Many a file keeps there what
    /// the model was trained on, and says by the scaling alone that it reads more.
    fileprivate func reach(_ trainedContext: Int) -> Int {
        func stretched(_ context: Int, _ factor: Double) -> Int {
            max(trainedContext, Int(min(Double(context) * factor, 1e9)))
        }
        return switch self {
        case .none, .llama3, .longRoPE, .proportional: trainedContext
        case .linear(let factor): stretched(trainedContext, factor)
        case .yarn(let yarn): stretched(yarn.originalContext, yarn.factor)
        // Its base grows for as long as there are rows.
        case .dynamic: .max
        }
    }
}
