import Checkpoints
import Inference

extension DecoderFamily {
    /// Llama 2 and 3.x.
    static let llama = DecoderFamily(modelType: "llama") { description, config in
        if try config.bool("mlp_bias", default: false) {
            throw LoadingError.unsupported("\(config.file): mlp_bias is true; feed-forward biases are not supported")
        }
        let hasBias = try config.bool("attention_bias", default: false)
        description.hasAttentionBias = hasBias
        description.hasAttentionOutputBias = hasBias
    }
}
