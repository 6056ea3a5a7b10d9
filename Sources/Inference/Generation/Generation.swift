/// Why an answer ended.
public enum FinishReason: String, Sendable, Codable {
    /// The model chose an end-of-sequence token, or the caller ended the answer.
    case stop
    /// The number of tokens asked for, or the context, was reached.
    case length
}

/// What `Session.generate` gives.
public struct GenerationResult: Sendable {
    /// The new tokens; an end-of-sequence token is not among them.
    public var tokens: [Int]
    public var finishReason: FinishReason
    /// Tokens of the prompt that were still in the caches and not prefilled again.
    public var keptTokens: Int
    /// Wall-clock seconds from the start of prefill to the first token.
    public var timeToFirstToken: Double
    /// Wall-clock seconds from the first token to the last.
    public var decodeSeconds: Double
    /// Tokens decoded in that time, one that ended the answer included.
    public var decodedTokens: Int
}

extension Session {
    /// Answers a prompt.
    ///
    /// One step runs ahead: while the host looks at a token, the device already computes the next.
    ///
    /// - Parameters:
    ///   - keepsPrefix: see `prefill`.
    ///   - maxNewTokens: at least 1.
    ///   - endTokens: ids that end the answer.
    ///   - sampling: how tokens are chosen; greedily unless said.
    ///   - onPromptLogits: see `prefill`.
    ///   - onStepLogits: given the logits `[vocabulary]` that chose each token; keeps steps from running ahead.
    ///   - onToken: given each new token as it comes; returning false ends the answer after it.
    /// - Throws: as `prefill`.
    public func generate(
        _ prompt: Prompt, keepsPrefix: Bool = false, maxNewTokens: Int, endTokens: Set<Int> = [],
        sampling: SamplingSettings = SamplingSettings(), onPromptLogits: (([Float]) throws -> Void)? = nil,
        onStepLogits: (([Float]) throws -> Void)? = nil,
        onToken: ((Int) throws -> Bool)? = nil
    ) throws -> GenerationResult {
        guard maxNewTokens > 0 else {
            throw InferenceError.badRequest("\(maxNewTokens) new tokens were asked for; ask for at least 1")
        }
        let clock = ContinuousClock()
        let start = clock.now
        var firstToken = start
        let kept = try prefill(prompt, keepsPrefix: keepsPrefix, sampling: sampling, onLogits: onPromptLogits)

        var result = GenerationResult(
            tokens: [], finishReason: .length, keptTokens: kept, timeToFirstToken: 0, decodeSeconds: 0,
            decodedTokens: 0)
        var last = start
        for step in 0..<maxNewTokens {
            if step == stepCount, try !handOverStep() { break }
            if let onStepLogits {
                _ = try token(ofStep: step)
                try onStepLogits(try lastLogits())
            } else if step + 1 < maxNewTokens {
                _ = try handOverStep()
            }
            let token = try token(ofStep: step)
            last = clock.now
            if step == 0 { firstToken = last } else { result.decodedTokens += 1 }
            if endTokens.contains(token) {
                result.finishReason = .stop
                break
            }
            result.tokens.append(token)
            guard try onToken?(token) ?? true else {
                result.finishReason = .stop
                break
            }
        }
        result.timeToFirstToken = (firstToken - start).seconds
        result.decodeSeconds = (last - firstToken).seconds
        return result
    }
}

extension Duration {
    /// The duration as a number of seconds.
    public var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
