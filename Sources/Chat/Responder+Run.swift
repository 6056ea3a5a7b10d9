import Inference
import Tokenization

extension Responder {
    /// One model's part of answers that are given together.
    ///
    /// - Parameters:
    ///   - keepsHistory: uses what the caches still hold of each prompt.
    ///   - onText, onPromptLogits, onStepLogits: given a prompt's index, and what comes of it.
    /// - Returns: by prompt; and the wall-clock seconds of all together.
    func run(
        _ prompts: [Prompt], _ role: Role, _ settings: AnswerSettings, keepsHistory: Bool = false,
        onText: ((Int, String) throws -> Bool)? = nil, onPromptLogits: ((Int, [Float]) throws -> Void)? = nil,
        onStepLogits: ((Int, [Float]) throws -> Void)? = nil
    ) throws -> (stages: [AnswerStage], seconds: Double) {
        let clock = ContinuousClock()
        let start = clock.now
        let speaker = try model(role)
        // The last token's row is never needed.
        let tokens = (prompts.map(\.count).max() ?? 0) + max(0, settings.maxNewTokens - 1)
        let session = try session(role, tokens: tokens, sequences: prompts.count)
        try backend.resetTimings()
        var writers = prompts.indices.map { index in
            AnswerWriter(
                speaker.text, stopStrings: settings.stopStrings,
                onText: onText.map { given in { try given(index, $0) } })
        }
        var results = try session.generate(
            prompts, keepsPrefix: keepsHistory, maxNewTokens: settings.maxNewTokens,
            endTokens: settings.ignoresEnd ? [] : speaker.endTokens, sampling: settings.sampling,
            onPromptLogits: onPromptLogits, onStepLogits: onStepLogits, onToken: { try writers[$0].append($1) },
            onRead: onRead)
        for index in prompts.indices {
            try writers[index].finish()
            if writers[index].hasStopped { results[index].finishReason = .stop }
        }
        var phaseSeconds: [Phase: Double] = [:]
        for phase in Phase.allCases { phaseSeconds[phase] = try backend.seconds(in: phase) }
        let stages = prompts.indices.map { index in
            AnswerStage(
                model: role.speaker, prompt: prompts[index], result: results[index], text: writers[index].text,
                phaseSeconds: phaseSeconds)
        }
        return (stages, (clock.now - start).seconds)
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
