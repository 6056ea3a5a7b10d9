import Foundation
import JSON

/// The tasks of LongBench (Bai et al., arXiv 2308.14508), with its prompts and measures (github THUDM/LongBench).
public enum LongBenchTask: String, Sendable, CaseIterable {
    case narrativeqa, qasper
    case multifieldQAEnglish = "multifieldqa_en"
    case multifieldQAChinese = "multifieldqa_zh"
    case hotpotqa
    case twoWikiMQA = "2wikimqa"
    case musique, dureader
    case govReport = "gov_report"
    case qmsum
    case multiNews = "multi_news"
    case vcsum, trec, triviaqa, samsum, lsht
    case passageCount = "passage_count"
    case passageRetrievalEnglish = "passage_retrieval_en"
    case passageRetrievalChinese = "passage_retrieval_zh"
    case lcc
    case repobench = "repobench-p"

    /// What an answer is measured by.
    public struct Reference: Sendable, Equatable {
        public var task: LongBenchTask
        /// The prompt before it is cut to what models take.
        public var prompt: String
        /// Each is a right answer; the best fit counts.
        public var answers: [String]
        /// What can be answered at all, in tasks of classification.
        public var classes: [String]
    }

    /// - Parameter file: its name is the task's where the record has no `dataset`, as in LongBench's own files.
    /// - Throws: `FieldError`.
    static func question(_ record: JSONObject, id: String, file: String) throws -> EvaluationQuestion {
        let stem = URL(filePath: file).deletingPathExtension().lastPathComponent
        let name = record["dataset"]?.plainText ?? stem
        let base = name.hasSuffix("_e") ? String(name.dropLast(2)) : name
        guard let task = LongBenchTask(rawValue: base) else {
            throw FieldError(
                reason: "\"dataset\" is \(name), which is no task of LongBench; there are "
                    + allCases.map(\.rawValue).joined(separator: ", "))
        }
        func texts(_ key: String) throws -> [String] {
            guard case .array(let values) = record[key] else { return [] }
            return try values.map { value in
                guard let text = value.plainText else { throw FieldError(reason: "\"\(key)\" holds \(value.kind)") }
                return text
            }
        }
        let (input, context) = (try record.text("input"), try record.text("context"))
        let answers = try texts("answers")
        guard !answers.isEmpty else { throw FieldError(reason: "\"answers\" is no list of right answers") }
        let classes = try texts("all_classes")
        guard task.measure != .classification || !classes.isEmpty else {
            throw FieldError(reason: "has no \"all_classes\", which \(base) is measured with")
        }
        let reference = Reference(
            task: task, prompt: task.prompt(context: context, input: input), answers: answers, classes: classes)
        return EvaluationQuestion(id: id, question: input, expected: .longText(reference), subject: name)
    }

    /// Whether the paper's implementation gives the prompt to the model as it is, where it puts others through the chat
    /// template once more than other questions.
    var isBare: Bool {
        switch self {
        case .trec, .triviaqa, .samsum, .lsht, .lcc, .repobench: true
        default: false
        }
    }

    private func prompt(context: String, input: String) -> String {
        // Both at once, as the context may hold such marks itself.
        var parts: [String] = []
        var rest = template[...]
        while let mark = rest.range(of: #"\{(context|input)\}"#, options: .regularExpression) {
            parts += [String(rest[..<mark.lowerBound]), rest[mark] == "{context}" ? context : input]
            rest = rest[mark.upperBound...]
        }
        return parts.joined() + rest
    }
}
