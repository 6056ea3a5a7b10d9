import Inference

/// What one model did for an answer.
public struct AnswerStage: Sendable {
    /// `receiver` or `sharer`.
    public var model: String
    public var prompt: Prompt
    public var result: GenerationResult
    /// Empty for a model without a tokenizer.
    public var text: String
    /// Device seconds by phase, of all that was answered together.
    public var phaseSeconds: [Phase: Double]

    /// Forward passes that had to wait for each other: the prompt's, and one for every token after the first.
    public var sequentialSteps: Int { 1 + result.decodedTokens }
}

/// An answer, with all that led to it.
public struct Answer: Sendable {
    public var mode: AnswerMode
    /// In order; only text-to-text has two.
    public var stages: [AnswerStage]
    /// Wall-clock seconds from the question, or questions that were asked together, to the answer's first token.
    public var timeToFirstToken: Double
    /// Wall-clock seconds from the question to the answer's last token, or to the last of all that were asked together.
    public var totalSeconds: Double

    /// The stage whose text is the answer.
    public var final: AnswerStage { stages[stages.count - 1] }
    public var text: String { final.text }
    public var tokens: [Int] { final.result.tokens }
    public var sequentialSteps: Int { stages.reduce(0) { $0 + $1.sequentialSteps } }
}

/// How an answer is made.
public struct AnswerSettings: Sendable {
    /// The most tokens of the answer.
    public var maxNewTokens = 256
    public var sampling = SamplingSettings()
    /// Texts that end an answer before they begin.
    public var stopStrings: [String] = []
    /// Go on after a token that ends answers.
    public var ignoresEnd = false
    /// What templates see as `enable_thinking`.
    public var thinking = false
    /// What sharers are told before the conversation, in place of what the receiver is told; empty for nothing, nil for the same.
    public var sharerSystem: String?
    /// Whether text without a template gets the tokens that the tokenizer puts around a text, such as one for its beginning.
    public var addsSpecialTokens = true
    public var textToText = TextToTextPrompts()

    public init() {}
}
