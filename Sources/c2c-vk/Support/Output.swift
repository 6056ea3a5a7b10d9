import Foundation

/// Where results and remarks go.
enum Output {
    /// Standard output, at once.
    static func write(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }

    static func line(_ text: String = "") {
        write(text + "\n")
    }

    /// That a file can be written, said before hours of work and not after them.
    /// - Throws: `UsageError`.
    static func check(_ path: String) throws {
        let files = FileManager.default
        let place = files.fileExists(atPath: path) ? path : URL(filePath: path).deletingLastPathComponent().path
        var isDirectory: ObjCBool = false
        guard files.isWritableFile(atPath: place),
            !(files.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue)
        else { throw UsageError("\(path) can't be written; does its folder exist, and is it yours?") }
    }

    /// Progress, timings and warnings: standard error.
    static func remark(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        write(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
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
            rows.map { $0[column].count }.max() ?? 0
        }
        var lines = rows.map { row in
            "| "
                + row.enumerated().map { pad($1, widths[$0], isRight: rightAligned.contains($0)) }
                .joined(separator: " | ") + " |"
        }
        let rule = widths.enumerated().map { column, width in
            rightAligned.contains(column)
                ? String(repeating: "-", count: width + 1) + ":" : String(repeating: "-", count: width + 2)
        }
        lines.insert("|" + rule.joined(separator: "|") + "|", at: 1)
        return lines.joined(separator: "\n")
    }

    private func pad(_ text: String, _ width: Int, isRight: Bool) -> String {
        let spaces = String(repeating: " ", count: width - text.count)
        return isRight ? spaces + text : text + spaces
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
