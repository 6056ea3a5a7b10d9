import Checkpoints
import Inference

extension DecoderFamily {
    /// Qwen2 and Qwen2.5: biases on queries, keys and values, whatever the configuration says.
    static let qwen2 = DecoderFamily(modelType: "qwen2") { description, config in
        try refuseSlidingWindow(config)
        description.hasAttentionBias = true
    }

    /// Qwen's configurations carry a window that published checkpoints leave off.
    static func refuseSlidingWindow(_ config: ConfigObject) throws {
        if try config.bool("use_sliding_window", default: false) {
            throw LoadingError.unsupported(
                "\(config.file): use_sliding_window is true; only attention over the whole context is supported")
        }
    }
}
