import Foundation
import OutputFiles

/// An evaluation as one HTML page that needs nothing else.
public enum ReportPage {
    /// What every page begins with.
    public static let mark = OutputMark(
        "a report of an evaluation",
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="generator" content="c2c-vk">
        """)
    /// The most questions that are listed where modes disagree.
    private static let listed = 200

    /// - Parameter settings: what the results depend on, shown as they are; empty ones are left out.
    public static func html(
        _ summary: EvaluationSummary, _ results: [EvaluationResult], settings: [String: String] = [:]
    ) -> String {
        """
        \(mark.text)
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>c2c-vk evaluation</title>
        <style>
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
        h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
        table { border-collapse: collapse; width: 100%; font-size: .9rem; }
        th, td { border-bottom: 1px solid #ddd; padding: .3rem .5rem; text-align: left; vertical-align: top; }
        td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
        .right { color: #0a6b2d; } .wrong { color: #a02020; }
        .note { font-size: .9rem; opacity: .8; } .swatch { display: inline-block; width: .8em; height: .8em; }
        .swatch.key { background: #3b6ea5; } .swatch.value { background: #c97b2d; }
        svg { width: 100%; height: auto; } svg text { font-size: 13px; fill: currentColor; }
        .bar { fill: #3b6ea5; } .range { stroke: #222; stroke-width: 1.5; } .axis { stroke: #999; }
        .key { fill: #3b6ea5; } .value { fill: #c97b2d; }
        @media (prefers-color-scheme: dark) {
          body { background: #181818; color: #ddd; } th, td { border-color: #444; } .range { stroke: #ddd; }
          .right { color: #5fc98a; } .wrong { color: #e58080; }
        }
        </style>
        </head>
        <body>
        <h1>c2c-vk evaluation</h1>
        <p>Device: \(escaped(summary.device)).\(speedup(summary))</p>
        \(table(summary))
        <p class="note">Unread are answers in which none could be found; tokens include text-to-text's background; steps are
        forward passes that wait for each other; times are medians, and the 95th percentile.</p>
        \(list(settings))
        <h2>Right answers</h2>
        <p class="note">Lines are 95 % intervals.</p>
        \(accuracyChart(summary))
        \(latencyChart(summary))
        \(gates(summary))
        \(subjects(summary))
        \(pairs(summary, results))
        \(disagreements(summary, results))
        </body>
        </html>

        """
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    /// A colour with what it stands for.
    private static func key(_ name: String, _ text: String) -> String {
        "<span class=\"swatch \(name)\"></span> \(text) "
    }

    private static func list(_ settings: [String: String]) -> String {
        let rows = settings.sorted { $0.key < $1.key }.filter { !$0.value.isEmpty }.map { name, value in
            "<tr><td>\(escaped(name))</td><td>\(escaped(value))</td></tr>"
        }
        guard !rows.isEmpty else { return "" }
        return "<details><summary>What was asked, and how</summary><table>" + rows.joined() + "</table></details>"
    }

    private static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }

    private static func speedup(_ summary: EvaluationSummary) -> String {
        summary.c2c_speedup_over_text.map {
            " Cache to cache is \(String(format: "%.2f", $0)) times as fast as text-to-text (medians)."
        } ?? ""
    }

    private static func table(_ summary: EvaluationSummary) -> String {
        let header = [
            "questions", "right", "95 % interval", "unread", "tokens", "steps", "first token", "in all", "p95",
            "questions/s",
        ]
        let rows = summary.modes.map { mode -> String in
            let cells = [
                "\(mode.questions)", percent(mode.accuracy),
                "\(percent(mode.accuracy_low)) to \(percent(mode.accuracy_high))", "\(mode.parse_failures)",
                String(format: "%.1f", mode.tokens + mode.background_tokens),
                String(format: "%.1f", mode.sequential_steps), seconds(mode.median_ttft_s),
                seconds(mode.median_total_s),
                seconds(mode.p95_total_s), String(format: "%.1f", mode.questions_per_s),
            ]
            return "<tr><td>\(mode.mode)</td>" + cells.map { "<td class=\"number\">\($0)</td>" }.joined() + "</tr>"
        }
        let note =
            summary.batch > 1
            ? "<p>Up to \(summary.batch) questions were asked at a time; latency is of those that were asked one by one.</p>"
            : ""
        return "<table><tr><th>mode</th>" + header.map { "<th class=\"number\">\($0)</th>" }.joined() + "</tr>"
            + rows.joined() + "</table>" + note
    }

    private static func seconds(_ value: Double?) -> String {
        guard let value else { return "-" }
        return value < 1 ? String(format: "%.1f ms", 1000 * value) : String(format: "%.2f s", value)
    }

    // MARK: Charts

    private static func accuracyChart(_ summary: EvaluationSummary) -> String {
        let rows = summary.modes.enumerated().map { index, mode -> String in
            let y = 30 * index + 8
            let end = 100 + 600 * mode.accuracy
            return """
                <text x="90" y="\(y + 15)" text-anchor="end">\(mode.mode)</text>
                <rect class="bar" x="100" y="\(y)" width="\(number(600 * mode.accuracy))" height="20"/>
                <line class="range" x1="\(number(100 + 600 * mode.accuracy_low))" x2="\(number(100 + 600 * mode.accuracy_high))" y1="\(y + 10)" y2="\(y + 10)"/>
                <text x="\(number(max(end, 100 + 600 * mode.accuracy_high) + 6))" y="\(y + 15)">\(percent(mode.accuracy))</text>
                """
        }
        return svg(height: 30 * summary.modes.count + 10, rows)
    }

    private static func latencyChart(_ summary: EvaluationSummary) -> String {
        let medians = summary.modes.compactMap { mode -> (name: String, first: Double, whole: Double)? in
            guard let first = mode.median_ttft_s, let whole = mode.median_total_s else { return nil }
            return (mode.mode, first, whole)
        }
        guard !medians.isEmpty else { return "" }
        let longest = max(medians.map(\.whole).max() ?? 1, 1e-9)
        let rows = medians.enumerated().map { index, median -> String in
            let y = 30 * index + 8
            let (first, whole) = (600 * median.first / longest, 600 * median.whole / longest)
            return """
                <text x="90" y="\(y + 15)" text-anchor="end">\(median.name)</text>
                <rect class="value" x="100" y="\(y)" width="\(number(whole))" height="20"/>
                <rect class="key" x="100" y="\(y)" width="\(number(min(first, whole)))" height="20"/>
                <text x="\(number(106 + whole))" y="\(y + 15)">\(seconds(median.first)), \(seconds(median.whole))</text>
                """
        }
        return "<h2>Time per question, median</h2><p class=\"note\">\(key("key", "to the first token")) "
            + "\(key("value", "from there to the last"))</p>" + svg(height: 30 * medians.count + 10, rows)
    }

    private static func svg(height: Int, _ rows: [String]) -> String {
        "<svg viewBox=\"0 0 860 \(height)\" role=\"img\">" + rows.joined() + "</svg>"
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

    private static func gates(_ summary: EvaluationSummary) -> String {
        guard !summary.gates.isEmpty else { return "" }
        let charts = summary.gates.enumerated().map { index, layers -> String in
            let largest = Double(layers.flatMap { [abs($0.key), abs($0.value)] }.max() ?? 1)
            let scale = 60 / max(largest, 1e-6)
            let step = 740 / Double(max(1, layers.count))
            // Labels of many layers would run into each other.
            let labelled = max(1, Int((30 / step).rounded(.up)))
            let bars = layers.enumerated().map { place, layer -> String in
                let x = 100 + step * Double(place)
                let width = max(1, min(18, step * 0.4))
                func bar(_ name: String, _ logit: Float, _ offset: Double) -> String {
                    let height = abs(Double(logit)) * scale
                    let top = logit > 0 ? 70 - height : 70
                    return
                        "<rect class=\"\(name)\" x=\"\(number(x + offset))\" y=\"\(number(top))\" width=\"\(number(width))\" height=\"\(number(height))\"><title>layer \(layer.receiver_layer), \(name)s: \(logit) \(logit > 0 ? "open" : "closed")</title></rect>"
                }
                let label =
                    place % labelled == 0
                    ? "<text x=\"\(number(x + width))\" y=\"150\" text-anchor=\"middle\">\(layer.receiver_layer)</text>"
                    : ""
                return bar("key", layer.key, 0) + bar("value", layer.value, width) + label
            }
            let bounds = [(10.0, largest), (130.0, -largest)].map { y, logit in
                "<text x=\"90\" y=\"\(number(y + 4))\" text-anchor=\"end\">\(String(format: "%+.1f", logit))</text>"
            }
            let axis = "<line class=\"axis\" x1=\"100\" x2=\"850\" y1=\"70\" y2=\"70\"/>"
            let label = "<text x=\"90\" y=\"74\" text-anchor=\"end\">sharer \(index + 1)</text>"
            let layerLabel = "<text x=\"90\" y=\"150\" text-anchor=\"end\">layer</text>"
            return svg(height: 160, [axis, label, layerLabel] + bounds + bars)
        }
        return "<h2>Gates by receiver layer</h2><p class=\"note\">\(key("key", "keys")) \(key("value", "values")) "
            + "Logits; a gate above the line is open, one below is closed.</p>" + charts.joined()
    }

    // MARK: Lists

    private static func subjects(_ summary: EvaluationSummary) -> String {
        guard summary.subjects.count > 1 else { return "" }
        let header = summary.modes.map { "<th class=\"number\">\($0.mode)</th>" }.joined()
        let rows = summary.subjects.sorted { $0.key < $1.key }.map { subject, modes -> String in
            let cells = summary.modes.map { mode -> String in
                let share = modes.first { $0.mode == mode.mode }.map { percent($0.accuracy) } ?? ""
                return "<td class=\"number\">\(share)</td>"
            }
            return "<tr><td>\(escaped(subject))</td>" + cells.joined() + "</tr>"
        }
        return "<h2>By subject</h2><table><tr><th>subject</th>\(header)</tr>" + rows.joined() + "</table>"
    }

    /// For each pair of modes, how many questions one gets right and the other wrong.
    private static func pairs(_ summary: EvaluationSummary, _ results: [EvaluationResult]) -> String {
        let names = summary.modes.map(\.mode)
        guard names.count > 1 else { return "" }
        var right: [String: Set<String>] = [:]
        var asked: [String: Set<String>] = [:]
        for result in results {
            asked[result.mode, default: []].insert(result.id)
            if result.correct { right[result.mode, default: []].insert(result.id) }
        }
        let counts = names.map { row in
            names.map { column in
                (right[row] ?? []).intersection(asked[column] ?? []).subtracting(right[column] ?? []).count
            }
        }
        let most = Double(max(1, counts.flatMap { $0 }.max() ?? 1))
        let rows = zip(names, counts).map { name, counts in
            let cells = zip(names, counts).map { column, count in
                // Darker for more, so that the eye finds them.
                let shade = column == name ? 0 : 0.5 * Double(count) / most
                return
                    "<td class=\"number\" style=\"background: rgba(59, 110, 165, \(String(format: "%.2f", shade)))\">\(column == name ? "" : "\(count)")</td>"
            }
            return "<tr><td>\(name) right</td>" + cells.joined() + "</tr>"
        }
        let header = names.map { "<th class=\"number\">\($0) wrong</th>" }.joined()
        return "<h2>Which mode is right where another is wrong</h2><table><tr><th>questions</th>\(header)</tr>"
            + rows.joined() + "</table>"
    }

    private static func disagreements(_ summary: EvaluationSummary, _ results: [EvaluationResult]) -> String {
        var order: [String] = []
        var byQuestion: [String: [EvaluationResult]] = [:]
        for result in results {
            if byQuestion[result.id] == nil { order.append(result.id) }
            byQuestion[result.id, default: []].append(result)
        }
        let different = order.compactMap { byQuestion[$0] }.filter { Set($0.map(\.correct)).count > 1 }
        guard !different.isEmpty else { return "<h2>Where the modes disagree</h2><p>Nowhere.</p>" }
        let header = summary.modes.map { "<th>\($0.mode)</th>" }.joined()
        let rows = different.prefix(listed).map { answers -> String in
            let cells = summary.modes.map { mode -> String in
                guard let answer = answers.first(where: { $0.mode == mode.mode }) else { return "<td></td>" }
                return
                    "<td class=\"\(answer.correct ? "right" : "wrong")\">\(escaped(answer.predicted ?? answer.text))</td>"
            }
            return "<tr><td>\(escaped(answers[0].question))</td><td>\(escaped(answers[0].expected))</td>"
                + cells.joined()
                + "</tr>"
        }
        let note = different.count > listed ? ", the first \(listed)" : ""
        return
            "<h2>Where the modes disagree: \(different.count) questions\(note)</h2><table><tr><th>question</th><th>right is</th>\(header)</tr>"
            + rows.joined() + "</table>"
    }
}
