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
    /// What of that went into plans and kernels that weren't there yet.
    public var compileTime: CompileTime
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
    /// - Throws: as `prefill`; `InferenceError.notFinite` where logits are, which says where that begins.
    public func generate(
        _ prompt: Prompt, keepsPrefix: Bool = false, maxNewTokens: Int, endTokens: Set<Int> = [],
        sampling: SamplingSettings = SamplingSettings(), onPromptLogits: (([Float]) throws -> Void)? = nil,
        onStepLogits: (([Float]) throws -> Void)? = nil,
        onToken: ((Int) throws -> Bool)? = nil
    ) throws -> GenerationResult {
        func alone<Value>(_ given: ((Value) throws -> Void)?) -> ((Int, Value) throws -> Void)? {
            given.map { given in { try given($1) } }
        }
        return try generate(
            [prompt], keepsPrefix: keepsPrefix, maxNewTokens: maxNewTokens, endTokens: endTokens, sampling: sampling,
            onPromptLogits: alone(onPromptLogits), onStepLogits: alone(onStepLogits),
            onToken: onToken.map { given in { try given($1) } })[0]
    }

    /// Answers prompts together, each as it would be answered alone.
    ///
    /// - Parameters:
    ///   - prompts: at most `sequenceCount`; each takes the caches of the sequence at its place.
    ///   - seeds: by prompt, instead of the one in `sampling`.
    ///   - onPromptLogits, onStepLogits, onToken: also given the prompt's index.
    ///   - onRead: given how far the prompts are read. What it throws ends that; the caches stay as good for the next prompt.
    /// - Returns: by prompt. Times are those of all together: a first token comes when all have theirs.
    /// - Throws: as `prefill`.
    public func generate(
        _ prompts: [Prompt], keepsPrefix: Bool = false, maxNewTokens: Int, endTokens: Set<Int> = [],
        sampling: SamplingSettings = SamplingSettings(), seeds: [UInt64]? = nil,
        onPromptLogits: ((Int, [Float]) throws -> Void)? = nil, onStepLogits: ((Int, [Float]) throws -> Void)? = nil,
        onToken: ((Int, Int) throws -> Bool)? = nil, onRead: ((ReadingProgress) throws -> Void)? = nil
    ) throws -> [GenerationResult] {
        guard maxNewTokens > 0 else {
            throw InferenceError.badRequest("\(maxNewTokens) new tokens were asked for; ask for at least 1")
        }
        guard seeds?.count ?? prompts.count == prompts.count else {
            throw InferenceError.badRequest("there are \(seeds?.count ?? 0) seeds for \(prompts.count) prompts")
        }
        guard !prompts.isEmpty else { return [] }
        let clock = ContinuousClock()
        let (start, compiledBefore) = (clock.now, backend.compileTime)
        var compileTime = CompileTime()
        let kept = try prefill(
            prompts, keepsPrefix: keepsPrefix, sampling: sampling,
            seeds: seeds ?? prompts.map { _ in sampling.seed }, onLogits: onPromptLogits, onRead: onRead)

        var answers = kept.map { GenerationInProgress(keptTokens: $0, start: start) }
        for step in 0..<maxNewTokens {
            if step == steps.count, try !handOverStep({ !answers[$0].isDone }) { break }
            let sequences = steps[step].sequences
            if let onStepLogits {
                try backend.wait(steps[step].execution)
                for (index, logits) in zip(sequences, try stepLogits()) where !answers[index].isDone {
                    try onStepLogits(index, logits)
                }
            } else if step + 1 < maxNewTokens {
                _ = try handOverStep { !answers[$0].isDone }
            }
            for index in sequences where !answers[index].isDone {
                let token = try token(ofStep: step, sequence: index)
                guard token != Int(noToken) else {
                    var sampling = sampling
                    if let seeds { sampling.seed = seeds[index] }
                    throw notFinite(prompts[index], sampling, step: step)
                }
                answers[index].add(token, isEnd: endTokens.contains(token), at: clock.now)
                if !answers[index].isDone, try !(onToken?(index, token) ?? true) { answers[index].stop() }
            }
            if step == 0 { compileTime = backend.compileTime - compiledBefore }
            if answers.allSatisfy(\.isDone) { break }
        }
        return answers.map { $0.result(compileTime) }
    }
}

/// An answer that grows token by token.
private struct GenerationInProgress {
    private var tokens: [Int] = []
    private let keptTokens: Int
    private let start: ContinuousClock.Instant
    private var first: ContinuousClock.Instant?
    private var last: ContinuousClock.Instant
    private var decodedTokens = 0
    /// Whether no further token is wanted.
    private(set) var isDone = false

    init(keptTokens: Int, start: ContinuousClock.Instant) {
        self.keptTokens = keptTokens
        self.start = start
        last = start
    }

    mutating func add(_ token: Int, isEnd: Bool, at time: ContinuousClock.Instant) {
        last = time
        if first == nil { first = time } else { decodedTokens += 1 }
        if isEnd { stop() } else { tokens.append(token) }
    }

    mutating func stop() {
        isDone = true
    }

    /// An answer that nothing stopped has reached its length.
    func result(_ compileTime: CompileTime) -> GenerationResult {
        GenerationResult(
            tokens: tokens, finishReason: isDone ? .stop : .length, keptTokens: keptTokens,
            timeToFirstToken: ((first ?? start) - start).seconds, compileTime: compileTime,
            decodeSeconds: (last - (first ?? start)).seconds, decodedTokens: decodedTokens)
    }
}

extension Duration {
    /// The duration as a number of seconds.
    public var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
