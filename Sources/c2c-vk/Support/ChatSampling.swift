import Chat
import Inference
import ModelLoading

/// How a chat chooses tokens: as the flags say, and what they don't say as the model that speaks would have it.
struct ChatSampling {
    private let flags: SamplingOptions
    private let receiver: SamplingDefaults?
    private let sharer: SamplingDefaults?

    /// - Throws: `CheckpointError` for a generation_config.json that can't be read.
    init(_ flags: SamplingOptions, _ engine: Engine) throws {
        self.flags = flags
        receiver = try engine.receiver.map { try SamplingDefaults(directory: $0.path) }
        sharer = try engine.sharers.first.map { try SamplingDefaults(directory: $0.model.path) }
    }

    private func defaults(_ mode: AnswerMode) -> SamplingDefaults? { mode == .sharer ? sharer : receiver }

    /// In text-to-text both models write as the receiver would.
    func settings(for mode: AnswerMode) -> SamplingSettings {
        flags.settings(defaults(mode)?.settings ?? SamplingSettings())
    }

    /// Whether tokens are chosen otherwise than the flags alone say.
    func followsFile(for mode: AnswerMode) -> Bool { settings(for: mode).text != flags.settings().text }

    /// What can't be taken from the files.
    var warnings: [String] { (receiver?.warnings ?? []) + (sharer?.warnings ?? []) }

    /// One line: how tokens are chosen, and who says so.
    func text(for mode: AnswerMode) -> String {
        let settings = settings(for: mode)
        return "sampling: \(settings.text); \(source(mode, settings))"
    }

    private func source(_ mode: AnswerMode, _ settings: SamplingSettings) -> String {
        let name = mode == .sharer ? "sharer" : "receiver"
        if !followsFile(for: mode) {
            return settings.isGreedy ? "--temperature draws" : "as the flags say"
        }
        let isChanged = settings != defaults(mode)?.settings
        return "as the \(name)'s generation_config.json says" + (isChanged ? ", and flags" : "; flags override")
    }
}

extension SamplingSettings {
    /// How tokens are chosen, in words.
    var text: String {
        var parts = [isGreedy ? "the likeliest token" : "temperature \(Self.number(temperature))"]
        if !isGreedy {
            if let topK { parts.append("top-k \(topK)") }
            if topP < 1 { parts.append("top-p \(Self.number(topP))") }
            if minP > 0 { parts.append("min-p \(Self.number(minP))") }
        }
        if repetitionPenalty != 1 { parts.append("repetition penalty \(Self.number(repetitionPenalty))") }
        if presencePenalty != 0 { parts.append("presence penalty \(Self.number(presencePenalty))") }
        if frequencyPenalty != 0 { parts.append("frequency penalty \(Self.number(frequencyPenalty))") }
        return parts.joined(separator: ", ")
    }

    private static func number(_ value: Float) -> String {
        value == value.rounded() && abs(value) < 1e6 ? "\(Int(value))" : "\(value)"
    }
}
