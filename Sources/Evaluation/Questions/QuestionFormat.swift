import Foundation
import JSON

/// Where public question sets keep what is asked. A format is recognised by its fields unless it is named.
public enum QuestionFormat: String, Sendable, CaseIterable {
    /// `question` and `answer`, with `choices` for questions of choice, where the answer is an index or a letter.
    case native
    /// `question`, `choices`, `answer` (an index), and corrections: `error_type`, `correct_answer`. Questions without a right
    /// answer are left out, as the paper does, and so are those whose correction can't be read.
    case mmluRedux = "mmlu-redux"
    /// `question`, `options` (up to ten), `answer` (a letter), `answer_index`.
    case mmluPro = "mmlu-pro"
    /// OpenAI's translations of MMLU: `Question`, `A`, `B`, `C`, `D`, `Answer` (a letter), `Subject`.
    case mmmlu
    /// `Question`, `Correct Answer`, `Incorrect Answer 1` to `3`, and their revisions; the choices' order is the paper's.
    case gpqa
    /// `question`, `choices` with `text` and `label`, `answerKey`; also as AllenAI's own files nest them, or, in its CSV, have
    /// them in the question's text: `AnswerKey` and `Which? (A) this (B) that`.
    case arc
    /// As `arc`, with the question in `question_stem`.
    case openbookqa
    /// `question`, `A`, `B`, `C`, `D`, `answer` (a letter).
    case ceval
    /// `question` and `answer`, the number after `####`.
    case gsm8k
    /// `problem` and `answer`, a term in LaTeX.
    case math500 = "math-500"
    /// `context`, `input`, `answers`, `all_classes`, and the task's name in `dataset`.
    case longbench

    /// - Throws: `FieldError` for a record that could be of two formats.
    static func detected(_ record: JSONObject) throws -> QuestionFormat {
        let lists = [
            ("choices", record["choices"] != nil), ("options", record["options"] != nil),
            ("A", record["A"] != nil && record["B"] != nil), ("Correct Answer", record["Correct Answer"] != nil),
        ].filter(\.1).map { "\"\($0.0)\"" }
        guard lists.count < 2 else {
            throw FieldError(
                reason: "has choices in \(lists.joined(separator: " and in ")); name the set's fields with --format")
        }
        if record["question_stem"] != nil { return .openbookqa }
        if record["answerKey"] != nil || record["AnswerKey"] != nil { return .arc }
        if record["Correct Answer"] != nil { return .gpqa }
        if record["Question"] != nil, record["A"] != nil { return .mmmlu }
        if record["A"] != nil, record["B"] != nil { return .ceval }
        if record["options"] != nil { return .mmluPro }
        if record["context"] != nil, record["input"] != nil, record["answers"] != nil { return .longbench }
        if record["error_type"] != nil { return .mmluRedux }
        if record["problem"] != nil, record["question"] == nil { return .math500 }
        if case .string(let answer) = record["answer"], answer.contains("####") { return .gsm8k }
        return .native
    }

    /// - Parameters:
    ///   - number: the record's line or entry, its id where it has none.
    ///   - file: its name, which tells LongBench's task where the record doesn't.
    /// - Returns: nil for a question that is not to be asked.
    /// - Throws: `FieldError`.
    func question(_ record: JSONObject, number: Int, file: String) throws -> EvaluationQuestion? {
        let subject = ["subject", "category", "Subject", "High-level domain"].lazy.compactMap { record[$0]?.plainText }
            .first
        let ids = ["id", "question_id", "questionID", "unique_id", "Record ID", "_id"]
        let id = ids.lazy.compactMap { record[$0]?.plainText }.first { !$0.isEmpty } ?? "\(number)"
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
                try record.checkNoUnknownChoices(answer)
                return try made(question, [], .text(answer))
            }
            let choices = try record.choices("choices")
            return try made(question, choices, .choice(try record.choice("answer", choices, AnswerReading.any)))
        case .mmluRedux:
            let choices = try record.choices("choices")
            let error = record["error_type"]?.plainText
            if error == "no_correct_answer" || error == "expert" { return nil }
            if error == "wrong_groundtruth" {
                // What the row itself calls wrong is never taken for right.
                guard let corrected = try? record.choice("correct_answer", choices, AnswerReading.index) else {
                    return nil
                }
                return try made(try record.text("question"), choices, .choice(corrected))
            }
            return try made(
                try record.text("question"), choices, .choice(try record.choice("answer", choices, AnswerReading.index))
            )
        case .mmluPro:
            let choices = try record.choices("options")
            let right = try record.choice(
                record["answer"] == nil ? "answer_index" : "answer", choices, AnswerReading.letter)
            if let index = record["answer_index"]?.wholeNumber, index != right {
                throw FieldError(
                    reason: "\"answer\" is choice \(EvaluationQuestion.letter(right)), \"answer_index\" is \(index); "
                        + "remove the one that is wrong")
            }
            var question = try made(try record.text("question"), choices, .choice(right))
            question.namedLetters = 4
            return question
        case .mmmlu:
            let choices = try record.letteredChoices()
            return try made(
                try record.text("Question"), choices,
                .choice(try record.choice("Answer", choices, AnswerReading.letter)))
        case .gpqa:
            let item = try GPQA.item(record)
            return try made(item.question, item.choices, .choice(item.right))
        case .arc where record["AnswerKey"] != nil:
            let (stem, texts, labels) = try Self.inlineChoices(try record.text("question"))
            return try made(stem, texts, .choice(try record.label("AnswerKey", labels)))
        case .arc, .openbookqa:
            var (nested, stem) = (record, self == .openbookqa ? "question_stem" : "question")
            if case .object(let object) = record["question"] { (nested, stem) = (object, "stem") }
            let (texts, labels) = try nested.labelledChoices()
            return try made(try nested.text(stem), texts, .choice(try record.label("answerKey", labels)))
        case .ceval:
            let choices = try record.letteredChoices()
            return try made(
                try record.text("question"), choices,
                .choice(try record.choice("answer", choices, AnswerReading.letter)))
        case .gsm8k:
            let answer = try record.text("answer")
            let number = answer.split(separator: "####").last ?? answer[...]
            guard let value = AnswerText.numbers(in: number).last else {
                throw FieldError(reason: "\"answer\" has no number after ####")
            }
            return try made(try record.text("question"), [], .number(value))
        case .math500:
            let answer = try record.text("answer").trimmed
            guard !answer.isEmpty else { throw FieldError(reason: "\"answer\" is empty") }
            return try made(try record.text("problem"), [], .mathematics(answer))
        case .longbench:
            return try LongBenchTask.question(record, id: id, file: file)
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
