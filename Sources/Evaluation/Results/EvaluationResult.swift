/// One answered question, as it is recorded.
public struct EvaluationResult: Sendable, Codable, Equatable {
    public var id: String
    public var mode: String
    public var subject: String?
    public var question: String
    public var expected: String
    /// Nil where nothing in the answer could be read as one.
    public var predicted: String?
    /// Whether the answer is right, of one that is measured, fully so.
    public var correct: Bool
    /// Of answers that are measured, 0 to 1; nil for those that are right or wrong.
    public var score: Double?
    public var text: String
    public var tokens: Int
    public var background_tokens: Int
    public var sequential_steps: Int
    /// Seconds; of a batch, until all of its questions had their first, and their last, token.
    public var ttft_s: Double
    public var total_s: Double
    /// How many questions were asked together, this one included; nil for one that was asked alone.
    public var batch: Int?

    public init(
        id: String, mode: String, subject: String?, question: String, expected: String, predicted: String?,
        correct: Bool, score: Double? = nil, text: String, tokens: Int, background_tokens: Int, sequential_steps: Int,
        ttft_s: Double, total_s: Double, batch: Int? = nil
    ) {
        self.id = id
        self.mode = mode
        self.subject = subject
        self.question = question
        self.expected = expected
        self.predicted = predicted
        self.correct = correct
        self.score = score
        self.text = text
        self.tokens = tokens
        self.background_tokens = background_tokens
        self.sequential_steps = sequential_steps
        self.ttft_s = ttft_s
        self.total_s = total_s
        self.batch = batch
    }

    /// What the answer counts for, 0 to 1.
    public var points: Double { score ?? (correct ? 1 : 0) }

    var key: ResultLog.Key { ResultLog.Key(id: id, mode: mode) }
}
