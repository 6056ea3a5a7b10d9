/// What one mode made of a set of questions.
public struct ModeSummary: Sendable, Encodable {
    public var mode: String
    public var questions: Int
    public var correct: Int
    /// 0 to 1; where answers are measured and not only right or wrong, the mean of their scores.
    public var accuracy: Double
    /// Wilson's 95 % interval of the accuracy; of scores it is wider than need be.
    public var accuracy_low: Double
    public var accuracy_high: Double
    /// Answers in which nothing could be read as one.
    public var parse_failures: Int
    /// Means over questions, of the answer and, in text-to-text, of the background.
    public var tokens: Double
    public var background_tokens: Double
    public var sequential_steps: Double
    /// Seconds, of questions that were asked one by one; nil where none was.
    public var median_ttft_s: Double?
    public var median_total_s: Double?
    public var p95_total_s: Double?
    /// The most questions that were asked together.
    public var batch: Int
    /// Over the time of all questions, however many were asked together.
    public var questions_per_s: Double

    public init(mode: String, _ results: [EvaluationResult]) {
        self.mode = mode
        questions = results.count
        correct = results.count { $0.correct }
        accuracy = Statistics.mean(results.map(\.points))
        (accuracy_low, accuracy_high) = Statistics.wilson(accuracy, of: results.count)
        parse_failures = results.count { $0.predicted == nil }
        tokens = Statistics.mean(results.map { Double($0.tokens) })
        background_tokens = Statistics.mean(results.map { Double($0.background_tokens) })
        sequential_steps = Statistics.mean(results.map { Double($0.sequential_steps) })
        batch = results.map { $0.batch ?? 1 }.max() ?? 1
        // Each question counts with its share of its batch's time.
        let seconds = results.reduce(0) { $0 + $1.total_s / Double($1.batch ?? 1) }
        questions_per_s = seconds > 0 ? Double(results.count) / seconds : 0
        let alone = results.filter { $0.batch == nil }
        guard !alone.isEmpty else { return }
        median_ttft_s = Statistics.percentile(0.5, alone.map(\.ttft_s))
        median_total_s = Statistics.percentile(0.5, alone.map(\.total_s))
        p95_total_s = Statistics.percentile(0.95, alone.map(\.total_s))
    }
}

enum Statistics {
    static func mean(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }

    /// The nearest rank.
    static func percentile(_ share: Double, _ values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        let rank = Int((share * Double(values.count)).rounded(.up)) - 1
        return values.sorted()[min(max(rank, 0), values.count - 1)]
    }

    /// Wilson's score interval for a share (E. B. Wilson, 1927), at 95 %.
    static func wilson(_ share: Double, of count: Int) -> (Double, Double) {
        guard count > 0 else { return (0, 1) }
        let z = 1.959_964
        let n = Double(count)
        let centre = share + z * z / (2 * n)
        let spread = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
        let scale = 1 + z * z / n
        return (max(0, (centre - spread) / scale), min(1, (centre + spread) / scale))
    }
}
