import Evaluation
import Foundation

/// How far an evaluation is, with rate and running accuracy, on standard error; nothing where that is no terminal.
final class EvaluationProgress {
    private let total: Int
    private let isShown = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now
    private var done = 0
    private var modes: [String] = []
    private var right: [String: (correct: Int, count: Int)] = [:]

    init(total: Int) {
        self.total = total
    }

    func add(_ result: EvaluationResult) {
        done += 1
        if right[result.mode] == nil { modes.append(result.mode) }
        var score = right[result.mode] ?? (0, 0)
        score.correct += result.correct ? 1 : 0
        score.count += 1
        right[result.mode] = score
        guard isShown else { return }
        let seconds = max((ContinuousClock.now - start) / .seconds(1), 1e-3)
        let width = 20
        let filled = total > 0 ? min(width, width * done / total) : width
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
        let scores = modes.map { mode -> String in
            let score = right[mode] ?? (0, 1)
            return "\(mode) \((100 * Double(score.correct) / Double(score.count)).decimals(1)) %"
        }
        write(
            "\r[\(bar)] \(done) of \(total), \((Double(done) / seconds).decimals(1))/s, "
                + scores.joined(separator: ", ") + "\u{1B}[K")
    }

    /// Takes the line away.
    func finish() {
        if isShown { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
