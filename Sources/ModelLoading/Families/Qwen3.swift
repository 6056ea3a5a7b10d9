import Checkpoints
import Inference

extension DecoderFamily {
    /// Qwen3: queries and keys are normalised head by head.
    static let qwen3 = DecoderFamily(modelType: "qwen3") { description, config in
        try refuseSlidingWindow(config)
        description.hasQueryKeyNorm = true
        let hasBias = try config.bool("attention_bias", default: false)
        description.hasAttentionBias = hasBias
        description.hasAttentionOutputBias = hasBias
    }
}
