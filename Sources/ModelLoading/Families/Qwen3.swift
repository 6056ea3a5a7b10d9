import Checkpoints
import Inference

extension DecoderFamily {
    /// Qwen3: queries and keys are normalised head by head.
    static let qwen3 = DecoderFamily(
        modelType: "qwen3",
        defaults: Defaults(
            vocabularySize: 151_936, intermediateSize: 22_016, maximumContext: 32_768, kvHeadCount: 32, headDim: 128)
    ) { description, config in
        try refuseSlidingWindow(config, layerCount: description.layerCount)
        description.hasQueryKeyNorm = true
        let hasBias = try config.bool("attention_bias", default: false)
        description.hasAttentionBias = hasBias
        description.hasAttentionOutputBias = hasBias
    }
}
