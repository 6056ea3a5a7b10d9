import Checkpoints
import Inference

extension DecoderFamily {
    /// Qwen2 and Qwen2.5: biases on queries, keys and values, whatever the configuration says.
    static let qwen2 = DecoderFamily(
        modelType: "qwen2",
        defaults: Defaults(
            vocabularySize: 151_936, intermediateSize: 22_016, maximumContext: 32_768, kvHeadCount: 32)
    ) { description, config in
        try refuseSlidingWindow(config, layerCount: description.layerCount)
        description.hasAttentionBias = true
    }

    /// Qwen's configurations carry a window that published checkpoints leave off, or set for layers that they don't have.
    static func refuseSlidingWindow(_ config: ConfigObject, layerCount: Int) throws {
        guard try config.bool("use_sliding_window", default: false), !config.isNull("sliding_window") else { return }
        let slides: Bool
        if let types = try config.optionalStrings("layer_types") {
            slides = types.contains("sliding_attention")
        } else {
            slides = try config.int("max_window_layers", in: 0...Int.max, default: 28) < layerCount
        }
        if slides {
            throw LoadingError.unsupported(
                "\(config.file): use_sliding_window is true; only attention over the whole context is supported")
        }
    }
}
