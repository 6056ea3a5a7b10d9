import Evaluation
import Foundation
import Testing

/// What the paper's implementation (github thu-nics/C2C), LongBench's own metrics and math_verify 0.9 make of rows in the fields
/// of public sets: their prompts, right answers, and what they read in, or give for, many answers.
@Suite struct OriginalTests {
    private struct Case {
        var set: String
        var row: Data
        var prompt: String?
        var expected: String?
        var answers: [(text: String, predicted: String?, score: Double?)]
    }

    private func cases() throws -> [Case] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/evaluation/original.jsonl")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let answers = try #require(object["answers"] as? [[String: Any]])
            return Case(
                set: try #require(object["set"] as? String),
                row: try JSONSerialization.data(withJSONObject: try #require(object["row"])),
                prompt: object["prompt"] as? String, expected: object["expected"] as? String,
                answers: try answers.map {
                    (try #require($0["text"] as? String), $0["predicted"] as? String, $0["score"] as? Double)
                })
        }
    }

    @Test("Prompts, right answers and grades are those of the original")
    func original() throws {
        var counts: [String: Int] = [:]
        for one in try cases() {
            let set = try QuestionFile.parse(one.row, name: "rows.jsonl", format: nil)
            let question = try #require(set.questions.first)
            counts[one.set, default: 0] += 1
            if let prompt = one.prompt { #expect(AnswerText.prompt(for: question) == prompt) }
            if let expected = one.expected { #expect(question.expectedText == expected) }
            for answer in one.answers {
                let grade = AnswerText.grade(answer.text, for: question)
                if let score = answer.score {
                    #expect(
                        abs(grade.score - score) < 1e-12,
                        "\(one.set): \(answer.text) against \(question.expectedText): \(grade.score), not \(score)")
                } else {
                    #expect(grade.predicted == answer.predicted, "\(one.set): \(answer.text)")
                }
            }
        }
        for set in ["mmmlu", "gpqa", "mmlu-pro", "math-500", "mmlu-redux", "ceval", "longbench"] {
            #expect(counts[set] ?? 0 >= 6, "\(set)")
        }
    }
}
