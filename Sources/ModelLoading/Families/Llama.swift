import Checkpoints
import Inference

extension DecoderFamily {
    /// Llama 2 and 3.x.
    static let llama = DecoderFamily(
        modelType: "llama",
        defaults: Defaults(vocabularySize: 32_000, intermediateSize: 11_008, maximumContext: 2048, endTokens: [2])
    ) { description, config in
        if try config.bool("mlp_bias", default: false) {
            throw LoadingError.unsupported("\(config.file): mlp_bias is true; feed-forward biases are not supported")
        }
        let hasBias = try config.bool("attention_bias", default: false)
        description.hasAttentionBias = hasBias
        description.hasAttentionOutputBias = hasBias
    }
}
