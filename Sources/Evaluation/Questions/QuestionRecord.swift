import Foundation
import JSON

/// A question's fields as a file has them, and where they are.
struct QuestionRecord {
    var fields: JSONObject
    /// The line, counted from 1; in a JSON array, the entry.
    var number: Int
    var isEntry = false

    /// An error in this record.
    func error(_ file: String, _ reason: String) -> EvaluationError {
        isEntry
            ? EvaluationError(file, "entry \(number): \(reason)") : EvaluationError(file, line: number, reason)
    }

    /// All records of a text, whichever way it is laid out: JSON lines, a JSON array, an object that holds one, or a table.
    ///
    /// - Throws: `EvaluationError`.
    static func all(in text: String, _ file: String) throws -> [QuestionRecord] {
        let name = file.lowercased()
        let first = text.unicodeScalars.first { !$0.properties.isWhitespace }
        let isNamedTable = name.hasSuffix(".csv") || name.hasSuffix(".tsv")
        let isNamedJSON = [".json", ".jsonl", ".ndjson"].contains { name.hasSuffix($0) }
        if isNamedTable || !isNamedJSON && first != "{" && first != "[" {
            return try TableReader.records(text, file)
        }
        if first == "[" {
            do {
                return try entries(try JSONParser.parse(text), file)
            } catch let error as JSONError {
                throw EvaluationError(file, "\(error)")
            }
        }
        return try lines(text, file)
    }

    private static func lines(_ text: String, _ file: String) throws -> [QuestionRecord] {
        var records: [QuestionRecord] = []
        for (index, line) in LineSplitter.lines(text).enumerated() {
            guard !line.allSatisfy(\.properties.isWhitespace) else { continue }
            do {
                let value = try JSONParser.parse(String(line))
                guard case .object(let object) = value else {
                    throw EvaluationError(file, line: index + 1, "is JSON, but not an object")
                }
                records.append(QuestionRecord(fields: object, number: index + 1))
            } catch let error as JSONError {
                // One object may be written over many lines.
                if records.isEmpty, let whole = try? JSONParser.parse(text) { return try entries(whole, file) }
                let isBroken = records.isEmpty && line.allSatisfy { $0 == "{" || $0.properties.isWhitespace }
                throw EvaluationError(
                    file, line: index + 1,
                    isBroken
                        ? "an object begins whose end is not on the same line; write one to a line, as jq -c does: \(error)"
                        : "\(error)")
            }
        }
        // A single object may hold all questions.
        if records.count == 1, !records[0].fields.hasQuestion, let entries = try records[0].fields.entries(file) {
            return entries
        }
        if records.count == 1, records[0].fields.isColumns {
            throw EvaluationError(
                file,
                "holds a list for each column; write one object for each question, "
                    + "as pandas' to_json(orient='records', lines=True) does")
        }
        return records
    }

    /// Questions from a value that spans the file.
    fileprivate static func entries(_ value: JSONValue, _ file: String) throws -> [QuestionRecord] {
        switch value {
        case .array(let values):
            return try values.enumerated().map { index, value in
                guard case .object(var object) = value else {
                    throw EvaluationError(file, "entry \(index + 1) is \(value.kind), not an object")
                }
                // As the dataset server of Hugging Face nests them.
                if case .object(let row) = object["row"], object["row_idx"] != nil { object = row }
                return QuestionRecord(fields: object, number: index + 1, isEntry: true)
            }
        case .object(let object):
            if !object.hasQuestion, let entries = try object.entries(file) { return entries }
            if object.isColumns {
                throw EvaluationError(
                    file,
                    "holds a list for each column; write one object for each question, "
                        + "as pandas' to_json(orient='records', lines=True) does")
            }
            return [QuestionRecord(fields: object, number: 1, isEntry: true)]
        default: throw EvaluationError(file, "is \(value.kind), not an array of questions")
        }
    }
}

extension JSONObject {
    /// The names under which sets keep what is asked.
    static let questionNames: Set<String> = ["question", "Question", "problem", "question_stem", "input"]

    var hasQuestion: Bool {
        Self.questionNames.contains { name in
            switch self[name] {
            case .string, .object: true
            default: false
            }
        }
    }

    /// Whether a column's values stand together, in a list or by their row's number.
    fileprivate var isColumns: Bool {
        Self.questionNames.contains { name in
            switch self[name] {
            case .array: true
            case .object(let rows): rows["stem"] == nil
            default: false
            }
        }
    }

    /// The entries of the only list of objects that an object holds.
    fileprivate func entries(_ file: String) throws -> [QuestionRecord]? {
        let lists = compactMap { _, value -> [JSONValue]? in
            guard case .array(let values) = value, case .object? = values.first else { return nil }
            return values
        }
        guard lists.count == 1 else { return nil }
        return try QuestionRecord.entries(.array(lists[0]), file)
    }
}

/// Lines that end as on Unix, Windows or old Macs, and nowhere else: JSON strings may hold the other separators of Unicode.
enum LineSplitter {
    static func lines(_ text: String) -> [Substring.UnicodeScalarView] {
        var lines: [Substring.UnicodeScalarView] = []
        var rest = text.unicodeScalars[...]
        while let end = rest.firstIndex(where: { $0 == "\n" || $0 == "\r" }) {
            lines.append(rest[..<end])
            var next = rest.index(after: end)
            if rest[end] == "\r", next < rest.endIndex, rest[next] == "\n" { next = rest.index(after: next) }
            rest = rest[next...]
        }
        lines.append(rest)
        return lines
    }
}
