import Foundation
import JSON

/// Reads questions from JSON lines or CSV, in this program's own fields or those of public sets.
public enum QuestionFile {
    /// In bytes.
    public static let maximumSize = 512 << 20

    /// Where the fields of a question are; see `QuestionFormat`.
    ///
    /// - Throws: `EvaluationError` with file and line.
    public static func read(_ path: String, format: QuestionFormat?) throws -> [EvaluationQuestion] {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue else {
            let what = isDirectory.boolValue ? "is a folder" : "no such file"
            throw EvaluationError(path, "\(what); give questions as JSON lines or CSV")
        }
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
        } catch {
            throw EvaluationError(path, "can't be read: \(error.localizedDescription)")
        }
        guard data.count <= maximumSize else {
            throw EvaluationError(path, "is \(data.count) bytes; at most \(maximumSize) are read")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw EvaluationError(path, "is not UTF-8; convert it first")
        }
        let records = path.lowercased().hasSuffix(".csv") ? try csv(text, path) : try jsonLines(text, path)
        guard !records.isEmpty else { throw EvaluationError(path, "holds no question") }
        var ids: Set<String> = []
        let questions = try records.compactMap { line, record -> EvaluationQuestion? in
            do {
                let format = format ?? QuestionFormat.detected(record)
                guard var question = try format.question(record, line: line) else { return nil }
                // Ids keep results apart.
                if !ids.insert(question.id).inserted {
                    question.id += "#\(line)"
                    ids.insert(question.id)
                }
                return question
            } catch let error as FieldError {
                throw EvaluationError(path, line: line, error.reason)
            }
        }
        guard !questions.isEmpty else { throw EvaluationError(path, "holds no question with a right answer") }
        return questions
    }

    private static func jsonLines(_ text: String, _ path: String) throws -> [(line: Int, record: JSONObject)] {
        var records: [(Int, JSONObject)] = []
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            guard !line.allSatisfy(\.isWhitespace) else { continue }
            do {
                guard case .object(let object) = try JSONParser.parse(String(line)) else {
                    throw EvaluationError(path, line: number, "is JSON, but not an object")
                }
                records.append((number, object))
            } catch let error as JSONError {
                throw EvaluationError(path, line: number, "\(error)")
            }
        }
        return records
    }

    /// RFC 4180: fields may stand in quotes, with doubled quotes and line breaks in them.
    private static func csv(_ text: String, _ path: String) throws -> [(line: Int, record: JSONObject)] {
        var rows: [(line: Int, fields: [String])] = []
        var (fields, field) = ([String](), String.UnicodeScalarView())
        var (line, start, isQuoted, wasQuoted) = (1, 1, false, false)
        var scalars = text.unicodeScalars.makeIterator()
        var pending = scalars.next()
        func endField() {
            fields.append(String(field))
            field = String.UnicodeScalarView()
            wasQuoted = false
        }
        func endRow() {
            endField()
            if fields != [""] { rows.append((start, fields)) }
            fields = []
        }
        while let scalar = pending {
            pending = scalars.next()
            if scalar == "\n" { line += 1 }
            switch scalar {
            case "\"" where isQuoted && pending == "\"":
                field.append("\"")
                pending = scalars.next()
            case "\"" where isQuoted: isQuoted = false
            case "\"" where field.isEmpty && !wasQuoted: (isQuoted, wasQuoted) = (true, true)
            case _ where isQuoted: field.append(scalar)
            case ",": endField()
            case "\r" where pending == "\n": break
            case "\n":
                endRow()
                start = line
            default: field.append(scalar)
            }
        }
        guard !isQuoted else { throw EvaluationError(path, line: start, "a quote is not closed") }
        endRow()
        guard let header = rows.first else { return [] }
        return try rows.dropFirst().map { row in
            guard row.fields.count == header.fields.count else {
                throw EvaluationError(
                    path, line: row.line, "has \(row.fields.count) fields, the header \(header.fields.count)")
            }
            var record: JSONObject = [:]
            for (name, value) in zip(header.fields, row.fields) {
                record[name] = (name == "choices" ? CellLiteral.value(of: value) : nil) ?? .string(value)
            }
            return (row.line, record)
        }
    }
}

/// What is wrong with a record's fields.
struct FieldError: Error {
    var reason: String
}
