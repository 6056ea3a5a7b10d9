import Foundation
import JSON

/// Where public question sets keep what is asked. A format is recognised by its fields unless it is named.
public enum QuestionFormat: String, Sendable, CaseIterable {
    /// `question` and `answer`, with `choices` for questions of choice, where the answer is an index or a letter.
    case native
    /// `question`, `choices`, `answer` (an index), and corrections: `error_type`, `correct_answer`. Questions without a right
    /// answer are left out, as the paper does.
    case mmluRedux = "mmlu-redux"
    /// `question`, `choices` with `text` and `label`, `answerKey`; also as AllenAI's own files nest them, or, in its CSV, have
    /// them in the question's text: `AnswerKey` and `Which? (A) this (B) that`.
    case arc
    /// As `arc`, with the question in `question_stem`.
    case openbookqa
    /// `question`, `A`, `B`, `C`, `D`, `answer` (a letter).
    case ceval
    /// `question` and `answer`, the number after `####`.
    case gsm8k

    static func detected(_ record: JSONObject) -> QuestionFormat {
        if record["question_stem"] != nil { return .openbookqa }
        if record["answerKey"] != nil || record["AnswerKey"] != nil { return .arc }
        if record["A"] != nil, record["B"] != nil { return .ceval }
        if record["error_type"] != nil { return .mmluRedux }
        if case .string(let answer) = record["answer"], answer.contains("####") { return .gsm8k }
        return .native
    }

    /// - Returns: nil for a question that is not to be asked.
    /// - Throws: `FieldError`.
    func question(_ record: JSONObject, line: Int) throws -> EvaluationQuestion? {
        let subject = record["subject"]?.plainText ?? record["category"]?.plainText
        let id = (record["id"] ?? record["question_id"] ?? record["questionID"])?.plainText ?? "\(line)"
        func made(
            _ question: String, _ choices: [String], _ expected: EvaluationQuestion.Expected
        ) throws -> EvaluationQuestion {
            guard choices.count <= 26 else {
                throw FieldError(reason: "has \(choices.count) choices; at most 26 are possible")
            }
            return EvaluationQuestion(
                id: id, question: question, choices: choices, expected: expected, subject: subject)
        }
        switch self {
        case .native:
            let question = try record.text("question")
            guard record["choices"] != nil else {
                let answer = try record.text("answer")
                guard answer.contains(where: { !$0.isWhitespace }) else {
                    throw FieldError(reason: "\"answer\" is empty")
                }
                return try made(question, [], .text(answer))
            }
            let choices = try record.choices("choices")
            return try made(question, choices, .choice(try record.choice("answer", choices)))
        case .mmluRedux:
            let choices = try record.choices("choices")
            let error = record["error_type"]?.plainText
            if error == "no_correct_answer" || error == "expert" { return nil }
            if error == "wrong_groundtruth", let corrected = try? record.choice("correct_answer", choices) {
                return try made(try record.text("question"), choices, .choice(corrected))
            }
            return try made(try record.text("question"), choices, .choice(try record.choice("answer", choices)))
        case .arc where record["AnswerKey"] != nil:
            let (stem, texts, labels) = try Self.inlineChoices(try record.text("question"))
            return try made(stem, texts, .choice(try record.label("AnswerKey", labels)))
        case .arc, .openbookqa:
            var (nested, stem) = (record, self == .openbookqa ? "question_stem" : "question")
            if case .object(let object) = record["question"] { (nested, stem) = (object, "stem") }
            let (texts, labels) = try nested.labelledChoices()
            return try made(try nested.text(stem), texts, .choice(try record.label("answerKey", labels)))
        case .ceval:
            let choices = try ["A", "B", "C", "D"].map { try record.text($0) }
            return try made(try record.text("question"), choices, .choice(try record.choice("answer", choices)))
        case .gsm8k:
            let answer = try record.text("answer")
            let number = answer.split(separator: "####").last ?? answer[...]
            guard let value = AnswerText.numbers(in: number).last else {
                throw FieldError(reason: "\"answer\" has no number after ####")
            }
            return try made(try record.text("question"), [], .number(value))
        }
    }

    /// The parts of text such as `Which? (A) this (B) that`; labels may be digits.
    private static func inlineChoices(_ text: String) throws -> (stem: String, texts: [String], labels: [String]) {
        for labels in [["A", "B", "C", "D", "E"], ["1", "2", "3", "4", "5"]] {
            var (rest, parts, found) = (text[...], [String](), [String]())
            for label in labels {
                guard let range = rest.range(of: "(\(label))") else { break }
                parts.append(rest[..<range.lowerBound].trimmingCharacters(in: .whitespaces))
                found.append(label)
                rest = rest[range.upperBound...]
            }
            guard found.count >= 2 else { continue }
            parts.append(rest.trimmingCharacters(in: .whitespaces))
            return (parts[0], Array(parts.dropFirst()), found)
        }
        throw FieldError(reason: "\"question\" has no choices, such as (A) this (B) that")
    }
}

extension JSONValue {
    /// Text, or a number as text.
    fileprivate var plainText: String? {
        switch self {
        case .string(let text): text
        case .integer(let value): "\(value)"
        default: nil
        }
    }
}

extension JSONObject {
    fileprivate func text(_ key: String) throws -> String {
        guard let value = self[key] else { throw FieldError(reason: "has no \"\(key)\"") }
        guard let text = value.plainText else { throw FieldError(reason: "\"\(key)\" is \(value.kind), not text") }
        return text
    }

    /// The index of the choice that a key names by its label.
    fileprivate func label(_ key: String, _ labels: [String]) throws -> Int {
        let label = try text(key)
        guard let index = labels.firstIndex(of: label) else {
            throw FieldError(reason: "\"\(key)\" is \(label), the labels are \(labels.joined(separator: ", "))")
        }
        return index
    }

    fileprivate func choices(_ key: String) throws -> [String] {
        guard case .array(let values) = self[key], values.count >= 2 else {
            throw FieldError(reason: "\"\(key)\" is no list of two choices or more")
        }
        return try values.map { value in
            guard let text = value.plainText else { throw FieldError(reason: "a choice is \(value.kind), not text") }
            return text
        }
    }

    /// The index of a choice, from an index, a letter, or the choice itself.
    fileprivate func choice(_ key: String, _ choices: [String]) throws -> Int {
        let text = try text(key)
        if let index = Int(text), choices.indices.contains(index) { return index }
        if let index = choices.indices.first(where: { EvaluationQuestion.letter($0) == text }) { return index }
        if let index = choices.firstIndex(of: text) { return index }
        throw FieldError(reason: "\"\(key)\" is \(text), which is none of the \(choices.count) choices")
    }

    /// Choices as two lists, or as a list of pairs.
    fileprivate func labelledChoices() throws -> (texts: [String], labels: [String]) {
        switch self["choices"] {
        case .object(let object):
            let (texts, labels) = (try object.choices("text"), try object.choices("label"))
            guard texts.count == labels.count else {
                throw FieldError(reason: "has \(texts.count) choices and \(labels.count) labels")
            }
            return (texts, labels)
        case .array(let values):
            let pairs = try values.map { value -> (String, String) in
                guard case .object(let object) = value else {
                    throw FieldError(reason: "a choice is \(value.kind), not an object")
                }
                return (try object.text("text"), try object.text("label"))
            }
            return (pairs.map(\.0), pairs.map(\.1))
        default: throw FieldError(reason: "has no \"choices\"")
        }
    }
}
