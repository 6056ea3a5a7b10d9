import Evaluation

/// How often each mode was right so far.
struct RunningScores {
    private var modes: [String] = []
    private var counts: [String: (points: Double, all: Int)] = [:]

    mutating func add(_ result: EvaluationResult) {
        if counts[result.mode] == nil { modes.append(result.mode) }
        var count = counts[result.mode] ?? (0, 0)
        count.points += result.points
        count.all += 1
        counts[result.mode] = count
    }

    /// `receiver 50.0 %, c2c 62.5 %`
    var text: String {
        modes.map { mode in
            let count = counts[mode] ?? (0, 1)
            return "\(mode) \((100 * count.points / Double(count.all)).decimals(1)) %"
        }.joined(separator: ", ")
    }
}
