import Checkpoints
import Foundation
import Inference

/// How `config.json` says a model rotates, read as transformers 5 reads it (`RotaryEmbeddingConfigMixin`).
enum RoPEConfig {
    private static let bases = 1e-3...1e12
    private static let factors = 1e-3...1e6
    private static let contexts = 1...100_000_000

    /// - Parameter maximumContext: the model's `max_position_embeddings`.
    /// - Throws: `CheckpointError` for a field that is missing or out of range; `LoadingError` for a kind of scaling that isn't
    ///   computed.
    static func read(_ config: ConfigObject, headDim: Int, maximumContext: Int) throws -> RoPEDescription {
        let parameters = try parameters(config)
        let theta =
            try parameters?.optionalDouble("rope_theta", in: bases)
            ?? config.double("rope_theta", in: bases, default: 10_000)
        guard let parameters else { return RoPEDescription(theta: theta) }
        let kind = try parameters.optionalString("rope_type") ?? parameters.optionalString("type") ?? "default"
        func factor() throws -> Double { try parameters.double("factor", in: factors) }
        func originalContext() throws -> Int {
            // The field of the whole model wins over the scaling's own, as in transformers.
            try config.optionalInt("original_max_position_embeddings", in: contexts)
                ?? parameters.int("original_max_position_embeddings", in: contexts, default: maximumContext)
        }
        let scaling: RoPEScaling
        switch kind {
        case "default": scaling = .none
        case "linear": scaling = .linear(factor: try factor())
        case "dynamic": scaling = .dynamic(factor: try factor(), originalContext: maximumContext)
        case "yarn":
            scaling = .yarn(try yarn(parameters, originalContext(), maximumContext))
        case "longrope":
            scaling = try longRoPE(parameters, headDim, originalContext(), maximumContext)
        case "llama3":
            scaling = .llama3(
                factor: try factor(), lowFrequencyFactor: try parameters.double("low_freq_factor", in: factors),
                highFrequencyFactor: try parameters.double("high_freq_factor", in: factors),
                originalContext: try originalContext())
        case "proportional":
            scaling = .proportional(
                factor: try parameters.double("factor", in: factors, default: 1),
                share: try rotatedShare(config, parameters))
            return RoPEDescription(theta: theta, scaling: scaling)
        default:
            throw LoadingError.unsupported(
                "\(config.file): RoPE scaling \(quoted(kind)) is not supported; supported are default, linear, dynamic, yarn, "
                    + "longrope, llama3 and proportional")
        }
        guard try scaling == .none || Int(Double(headDim) * rotatedShare(config, parameters)) == headDim else {
            throw LoadingError.unsupported(
                "\(config.file): partial_rotary_factor leaves columns of a head unrotated; with RoPE scaling \(quoted(kind)) "
                    + "only whole heads are supported")
        }
        return RoPEDescription(theta: theta, scaling: scaling)
    }

    /// The object that says it all: what older files call `rope_scaling` wins where it holds anything, else `rope_parameters`.
    private static func parameters(_ config: ConfigObject) throws -> ConfigObject? {
        if let scaling = try config.optionalObject("rope_scaling"), !scaling.keys.isEmpty { return scaling }
        guard let parameters = try config.optionalObject("rope_parameters") else { return nil }
        // Models that tell kinds of layers apart have an object for each; the layers here all attend to everything.
        return try parameters.optionalObject("full_attention") ?? parameters
    }

    private static func rotatedShare(_ config: ConfigObject, _ parameters: ConfigObject) throws -> Double {
        try parameters.optionalDouble("partial_rotary_factor", in: 0...1)
            ?? config.double("partial_rotary_factor", in: 0...1, default: 1)
    }

    private static func yarn(
        _ parameters: ConfigObject, _ originalContext: Int, _ maximumContext: Int
    ) throws -> RoPEScaling.YaRN {
        let scales = 0.0...1e6
        let factor =
            parameters.isNull("factor")
            ? Double(maximumContext) / Double(originalContext) : try parameters.double("factor", in: factors)
        var attentionFactor = try parameters.optionalDouble("attention_factor", in: scales)
        let mscale = try parameters.double("mscale", in: scales, default: 0)
        let allDimensions = try parameters.double("mscale_all_dim", in: scales, default: 0)
        if attentionFactor == nil, mscale != 0, allDimensions != 0 {
            attentionFactor =
                RoPEScaling.YaRN.magnitude(factor, scale: mscale)
                / RoPEScaling.YaRN.magnitude(factor, scale: allDimensions)
        }
        // Python's "or": a zero stands for the default.
        func beta(_ key: String, default fallback: Double) throws -> Double {
            let value = try parameters.double(key, in: scales, default: 0)
            return value == 0 ? fallback : value
        }
        return RoPEScaling.YaRN(
            factor: factor, originalContext: originalContext, betaFast: try beta("beta_fast", default: 32),
            betaSlow: try beta("beta_slow", default: 1),
            truncates: try parameters.bool("truncate", default: !parameters.isNull("truncate")),
            attentionFactor: attentionFactor)
    }

    private static func longRoPE(
        _ parameters: ConfigObject, _ headDim: Int, _ originalContext: Int, _ maximumContext: Int
    ) throws -> RoPEScaling {
        func list(_ key: String) throws -> [Double] {
            let list = try parameters.doubles(key, in: factors)
            guard list.count == headDim / 2 else {
                throw parameters.invalid(
                    key, expected: "one factor for each of a head's \(headDim / 2) pairs of columns")
            }
            return list
        }
        let factor =
            try parameters.optionalDouble("factor", in: factors) ?? Double(maximumContext) / Double(originalContext)
        let attentionFactor =
            try parameters.optionalDouble("attention_factor", in: 0...1e6)
            ?? (factor <= 1 ? 1 : (1 + log(factor) / log(Double(originalContext))).squareRoot())
        return .longRoPE(
            short: try list("short_factor"), long: try list("long_factor"), attentionFactor: attentionFactor,
            originalContext: originalContext)
    }
}
