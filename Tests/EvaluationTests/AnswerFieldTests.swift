import Evaluation
import Foundation
import Testing

/// What a record says is right, and where it doesn't say so clearly.
@Suite struct AnswerFieldTests {
    private func read(_ text: String, as name: String = "q.jsonl", format: String? = nil) throws -> [EvaluationQuestion]
    {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString + "-" + name)
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(text.utf8).write(to: file)
        return try QuestionFile.read(file.path, format: try format.map { try #require(QuestionFormat(rawValue: $0)) })
    }

    private func refusal(_ text: String, as name: String = "q.jsonl") throws -> String {
        do {
            let questions = try read(text, as: name)
            Issue.record("\(text) was read as \(questions)")
            return ""
        } catch let error as EvaluationError {
            return error.reason
        }
    }

    @Test("An answer that two choices could be is an error that says how to mend it")
    func ambiguousAnswers() throws {
        for (choices, answer) in [
            (#"["1","2","3"]"#, #""1""#), (#"["3","0","1"]"#, #""0""#), (#"["B","A"]"#, #""B""#),
            (#"["x","x","y"]"#, #""x""#), (#"["2","3","4","5"]"#, #""3""#), (#"[" 2","1","0"]"#, #""2""#),
        ] {
            let reason = try refusal(#"{"question":"q","choices":\#(choices),"answer":\#(answer)}"#)
            #expect(
                reason.contains("choice A") || reason.contains("choice B") || reason.contains("choice C"), "\(reason)")
        }
        let table = "question,choices,answer\nq,\"['1','2','3']\",1\n"
        #expect(try refusal(table, as: "q.csv").contains("--format mmlu-redux"))
        #expect(try read(table, as: "q.csv", format: "mmlu-redux").map(\.expected) == [.choice(1)])
    }

    @Test("Where all readings agree, or the type decides, an answer is read")
    func clearAnswers() throws {
        for (choices, answer, index) in [
            (#"["0","1","2"]"#, #""1""#, 1), (#"["1","2","3"]"#, "1", 1), (#"["a","b"]"#, #""1""#, 1),
            (#"["7","8","9"]"#, #""8""#, 1), (#"["a","b"]"#, "1.0", 1), (#"["A","B"]"#, #""B""#, 1),
            (#"["a","b"]"#, #"" B ""#, 1), (#"["a","b"]"#, #""(B)""#, 1), (#"["a","b"]"#, #""B.""#, 1),
            (#"["x","b) y"]"#, #""b) y""#, 1), (#"["yes","no"]"#, #""no""#, 1),
        ] {
            let text = #"{"question":"q","choices":\#(choices),"answer":\#(answer)}"#
            #expect(try read(text).map(\.expected) == [.choice(index)], "\(text)")
        }
        for answer in ["2", "-1", "0.5", #""C""#, #""AB""#, "true", "null", "[0]"] {
            let reason = try refusal(#"{"question":"q","choices":["a","b"],"answer":\#(answer)}"#)
            #expect(reason.contains("answer"), "\(reason)")
        }
    }

    @Test("MMLU-Pro's options are choices; a list that isn't known is no free question")
    func options() throws {
        let line =
            #"{"question_id": 70, "question": "q", "options": ["a","b","c","d","e","f","g","h","i","j"], "answer": "J", "answer_index": 9, "category": "other"}"#
        let questions = try read(line)
        #expect(questions.map(\.choices.count) == [10] && questions[0].expected == .choice(9))
        #expect(questions[0].id == "70" && questions[0].subject == "other")
        #expect(
            try refusal(line.replacing(#""answer_index": 9"#, with: #""answer_index": 8"#)).contains("answer_index"))
        let table = "question,options,answer\nq,\"['a' 'b' 'c']\",C\n"
        #expect(try read(table, as: "q.csv").map(\.expected) == [.choice(2)])
        #expect(try refusal(#"{"question":"q","endings":["a","b"],"answer":"B"}"#).contains("endings"))
        #expect(try refusal(#"{"question":"q","endings":["a","b"],"answer":1}"#).contains("endings"))
        #expect(
            try refusal(#"{"question":"q","choices":["a","b"],"options":["c","d"],"answer":"B"}"#).contains("--format"))
        #expect(try refusal(#"{"question":"q","choices":["a","b"],"A":"c","B":"d","answer":"B"}"#).contains("--format"))
        // A list beside an answer in words is no list of choices.
        #expect(try read(#"{"question":"q","aliases":["a","b"],"answer":"Bern"}"#).map(\.expected) == [.text("Bern")])
    }

    @Test("A question that MMLU-Redux corrects is asked only if the correction can be read")
    func corrections() throws {
        func line(_ correction: String) -> String {
            #"{"question":"q","choices":["p","q","r","s"],"answer":1,"error_type":"wrong_groundtruth"\#(correction)}"#
        }
        for (correction, index) in [("\"0\"", 0), ("2", 2), ("\"A\"", 0), ("\"(D)\"", 3), ("\"r\"", 2)] {
            #expect(
                try read(line(",\"correct_answer\":\(correction)")).map(\.expected) == [.choice(index)], "\(correction)"
            )
        }
        let asked = #"{"question":"other","choices":["p","q"],"answer":0,"error_type":"ok"}"#
        for correction in [
            #","correct_answer":"A and B""#, #","correct_answer":"A or C""#, #","correct_answer":"""#,
            #","correct_answer":null"#, "", #","correct_answer":"0 or 2""#, #","correct_answer":7"#,
            #","correct_answer":"B, if x > 0""#, #","correct_answer":["A"]"#,
        ] {
            #expect(try read(line(correction) + "\n" + asked).map(\.question) == ["other"], "\(correction)")
        }
    }
}
