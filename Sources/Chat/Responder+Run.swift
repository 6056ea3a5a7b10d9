import Inference
import Tokenization

extension Responder {
    /// One model's part of an answer.
    func run(
        _ prompt: Prompt, _ role: Role, _ settings: AnswerSettings, keepsHistory: Bool,
        onText: ((String) throws -> Bool)?, onPromptLogits: (([Float]) throws -> Void)? = nil,
        onStepLogits: (([Float]) throws -> Void)? = nil
    ) throws -> (stage: AnswerStage, seconds: Double) {
        let clock = ContinuousClock()
        let start = clock.now
        let speaker = try model(role)
        // The last token's row is never needed.
        let session = try session(role, tokens: prompt.count + max(0, settings.maxNewTokens - 1))
        try backend.resetTimings()
        var writer = AnswerWriter(speaker.text, stopStrings: settings.stopStrings, onText: onText)
        var result = try session.generate(
            prompt, keepsPrefix: keepsHistory, maxNewTokens: settings.maxNewTokens,
            endTokens: settings.ignoresEnd ? [] : speaker.endTokens, sampling: settings.sampling,
            onPromptLogits: onPromptLogits, onStepLogits: onStepLogits, onToken: { try writer.append($0) })
        try writer.finish()
        if writer.hasStopped { result.finishReason = .stop }
        var phaseSeconds: [Phase: Double] = [:]
        for phase in Phase.allCases { phaseSeconds[phase] = try backend.seconds(in: phase) }
        let stage = AnswerStage(
            model: role.speaker, prompt: prompt, result: result, text: writer.text, phaseSeconds: phaseSeconds)
        return (stage, (clock.now - start).seconds)
    }
}

/// Makes text of an answer's tokens as they come, up to the first stop string.
private struct AnswerWriter {
    private(set) var text = ""
    /// Whether a stop string came, or the reader had enough.
    private(set) var hasStopped = false
    private let model: ModelText?
    private var detokenizer: StreamingDetokenizer?
    private var matcher: StopStringMatcher
    private let onText: ((String) throws -> Bool)?

    init(_ model: ModelText?, stopStrings: [String], onText: ((String) throws -> Bool)?) {
        self.model = model
        detokenizer = model.map { StreamingDetokenizer($0.tokenizer, skipSpecialTokens: true) }
        matcher = StopStringMatcher(stopStrings)
        self.onText = onText
    }

    /// - Returns: false to end the answer.
    mutating func append(_ token: Int) throws -> Bool {
        guard let model else { return try write("\(token) ") }
        guard model.knows(token), let part = try detokenizer?.append(token) else { return true }
        let released = matcher.append(part)
        if matcher.isMatched { hasStopped = true }
        return try write(released) && !hasStopped
    }

    /// Releases what was held back.
    mutating func finish() throws {
        guard !hasStopped, let rest = detokenizer?.finish() else { return }
        let released = matcher.append(rest)
        if matcher.isMatched { hasStopped = true }
        _ = try write(released + (matcher.isMatched ? "" : matcher.finish()))
    }

    private mutating func write(_ part: String) throws -> Bool {
        guard !part.isEmpty else { return true }
        if model != nil { text += part }
        guard try onText?(part) ?? true else {
            hasStopped = true
            return false
        }
        return true
    }
}
