import Foundation
import Terminal

/// One layer of a fuser.
public struct LayerGates: Sendable, Encodable {
    public var receiver_layer: Int
    public var sharer_layer: Int
    /// Logits; a gate is open where its logit is positive.
    public var key: Float
    public var value: Float

    public init(receiver_layer: Int, sharer_layer: Int, key: Float, value: Float) {
        self.receiver_layer = receiver_layer
        self.sharer_layer = sharer_layer
        self.key = key
        self.value = value
    }
}

/// What `eval` prints.
public struct EvaluationSummary: Sendable, Encodable {
    public var device: String
    public var modes: [ModeSummary]
    /// By subject; empty where questions have none.
    public var subjects: [String: [ModeSummary]]
    /// Median seconds of text-to-text over those of C2C, where both were measured.
    public var c2c_speedup_over_text: Double?
    /// By sharer.
    public var gates: [[LayerGates]]

    public init(device: String, modes names: [String], results: [EvaluationResult], gates: [[LayerGates]]) {
        self.device = device
        self.gates = gates
        func summaries(_ results: [EvaluationResult]) -> [ModeSummary] {
            names.map { name in ModeSummary(mode: name, results.filter { $0.mode == name }) }.filter {
                $0.questions > 0
            }
        }
        modes = summaries(results)
        subjects = Dictionary(grouping: results.filter { $0.subject != nil }) { $0.subject ?? "" }
            .mapValues(summaries)
        func median(_ name: String) -> Double? { modes.first { $0.mode == name }?.median_total_s }
        if let text = median("text"), let fused = median("c2c"), fused > 0 { c2c_speedup_over_text = text / fused }
    }

    /// The most questions that were asked together.
    var batch: Int { modes.map(\.batch).max() ?? 1 }

    /// Tables for people.
    public var text: String {
        func percent(_ share: Double) -> String { String(format: "%.1f", 100 * share) }
        func milliseconds(_ seconds: Double?) -> String {
            seconds.map { String(format: "%.1f", 1000 * $0) } ?? "-"
        }
        var lines = [
            "| mode     | questions | right % | 95 % interval | unread | tokens | steps | ttft ms | total ms | p95 ms |",
            "|----------|----------:|--------:|--------------:|-------:|-------:|------:|--------:|---------:|-------:|",
        ]
        if batch > 1 {
            lines[0] += " questions/s |"
            lines[1] += "------------:|"
        }
        func padded(_ text: String, _ width: Int) -> String {
            text.padded(cells: width, isRight: true)
        }
        for mode in modes {
            var cells = [
                padded("\(mode.questions)", 9), padded(percent(mode.accuracy), 7),
                padded("\(percent(mode.accuracy_low)) to \(percent(mode.accuracy_high))", 13),
                padded("\(mode.parse_failures)", 6),
                padded(String(format: "%.1f", mode.tokens + mode.background_tokens), 6),
                padded(String(format: "%.1f", mode.sequential_steps), 5), padded(milliseconds(mode.median_ttft_s), 7),
                padded(milliseconds(mode.median_total_s), 8), padded(milliseconds(mode.p95_total_s), 6),
            ]
            if batch > 1 { cells.append(padded(String(format: "%.1f", mode.questions_per_s), 11)) }
            lines.append("| \(mode.mode.padded(cells: 8)) | " + cells.joined(separator: " | ") + " |")
        }
        if subjects.count > 1 {
            let width = subjects.keys.map(\.cells).max() ?? 0
            func row(_ subject: String, _ cells: [String]) -> String {
                return "| \(subject.padded(cells: max(width, 7))) | "
                    + cells.map { padded($0, 10) }.joined(separator: " | ") + " |"
            }
            lines.append("")
            lines.append(row("subject", modes.map { "\($0.mode) %" }))
            lines.append(
                "|" + String(repeating: "-", count: max(width, 7) + 2) + "|"
                    + modes.map { _ in "-----------:|" }.joined())
            for (subject, summaries) in subjects.sorted(by: { $0.key < $1.key }) {
                let cells = modes.map { mode in
                    summaries.first { $0.mode == mode.mode }.map { percent($0.accuracy) } ?? ""
                }
                lines.append(row(subject, cells))
            }
        }
        lines.append("")
        lines.append(
            "on \(device); unread are answers in which none could be found, tokens include text-to-text's background, "
                + "steps are forward passes that wait for each other")
        if batch > 1 {
            lines.append(
                "asked up to \(batch) at a time: ttft and total are of questions that were asked one by one, "
                    + "questions/s of all")
        }
        if let speedup = c2c_speedup_over_text {
            lines.append("c2c takes \(percent(1 / speedup)) % of text-to-text's time (medians)")
        }
        return lines.joined(separator: "\n")
    }
}
