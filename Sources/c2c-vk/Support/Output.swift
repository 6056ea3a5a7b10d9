import Foundation
import Terminal

/// Where results and remarks go.
enum Output {
    /// Standard output, at once.
    /// - Throws: `OutputError` where that can't be written.
    static func write(_ text: String) throws {
        try StandardStreams.write(text)
    }

    static func line(_ text: String = "") throws {
        try write(text + "\n")
    }

    /// Timings and warnings: standard error.
    static func remark(_ text: String) {
        StandardStreams.remark(text + "\n")
    }

    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // JSON has no such numbers.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        try write(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
    }
}

/// A table in Markdown, columns padded so that it also reads well as text.
struct Table {
    private var rows: [[String]]
    private let rightAligned: Set<Int>

    /// - Parameter rightAligned: the columns of numbers.
    init(_ header: [String], rightAligned: Set<Int> = []) {
        rows = [header]
        self.rightAligned = rightAligned
    }

    mutating func add(_ cells: [String]) {
        rows.append(cells)
    }

    var text: String {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in
            rows.map { $0[column].cells }.max() ?? 0
        }
        var lines = rows.map { row in
            "| "
                + row.enumerated().map { $1.padded(cells: widths[$0], isRight: rightAligned.contains($0)) }
                .joined(separator: " | ") + " |"
        }
        let rule = widths.enumerated().map { column, width in
            rightAligned.contains(column)
                ? String(repeating: "-", count: width + 1) + ":" : String(repeating: "-", count: width + 2)
        }
        lines.insert("|" + rule.joined(separator: "|") + "|", at: 1)
        return lines.joined(separator: "\n")
    }
}

extension Double {
    /// With a fixed number of decimals.
    func decimals(_ count: Int) -> String { String(format: "%.\(count)f", self) }
}

/// Bytes for people.
func formatBytes(_ bytes: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    return unit == 0 ? "\(bytes) B" : "\(value.decimals(value < 10 ? 2 : 1)) \(units[unit])"
}
