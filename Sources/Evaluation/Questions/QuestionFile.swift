import Foundation

/// Questions, and what became of a file's other records.
public struct QuestionSet: Sendable {
    public var questions: [EvaluationQuestion]
    /// Records that the set itself says have no right answer, or none that can be read.
    public var leftOut: Int
}

/// Reads questions from JSON lines, JSON or a table, in this program's own fields or those of public sets.
public enum QuestionFile {
    /// In bytes.
    public static let maximumSize = 512 << 20

    /// Reads a file, a pipe, or standard input where the path is `-`.
    ///
    /// - Parameter format: where the fields of a question are; nil for what they look like.
    /// - Throws: `EvaluationError` with file and line.
    public static func load(_ path: String, format: QuestionFormat?) throws -> QuestionSet {
        try parse(try QuestionSource.bytes(path), name: path, format: format)
    }

    /// The questions of `load`.
    public static func read(_ path: String, format: QuestionFormat?) throws -> [EvaluationQuestion] {
        try load(path, format: format).questions
    }

    /// Questions from a file's bytes.
    ///
    /// - Parameter name: the file's, for errors; its ending tells tables from JSON.
    /// - Throws: `EvaluationError` with file and line.
    public static func parse(_ bytes: Data, name: String, format: QuestionFormat?) throws -> QuestionSet {
        let records = try QuestionRecord.all(in: try QuestionSource.text(bytes, name), name)
        guard !records.isEmpty else { throw EvaluationError(name, "holds no question") }
        var ids: Set<String> = []
        var set = QuestionSet(questions: [], leftOut: 0)
        for record in records {
            do {
                let format = try format ?? QuestionFormat.detected(record.fields)
                guard var question = try format.question(record.fields, number: record.number, file: name) else {
                    set.leftOut += 1
                    continue
                }
                // Ids keep results apart.
                var repeated = 2
                let id = question.id
                while !ids.insert(question.id).inserted {
                    question.id = "\(id)#\(repeated)"
                    repeated += 1
                }
                set.questions.append(question)
            } catch let error as FieldError {
                throw record.error(name, error.reason)
            }
        }
        guard !set.questions.isEmpty else { throw EvaluationError(name, "holds no question with a right answer") }
        return set
    }
}

/// What is wrong with a record's fields.
struct FieldError: Error {
    var reason: String
}
