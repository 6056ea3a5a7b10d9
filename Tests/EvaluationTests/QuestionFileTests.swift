import Evaluation
import Foundation
import Testing

@Suite struct QuestionFileTests {
    private func read(_ text: String, as name: String = "q.jsonl", format: QuestionFormat? = nil) throws
        -> [EvaluationQuestion]
    {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString + "-" + name)
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(text.utf8).write(to: file)
        return try QuestionFile.read(file.path, format: format)
    }

    @Test("The fields of public sets are recognised")
    func formats() throws {
        let questions = try read(
            """
            {"question":"free?","answer":"yes"}
            {"question":"q","choices":["a","b"],"answer":1,"subject":"s"}
            {"question":"q","choices":["a","b"],"answer":"B","id":"x"}
            {"question":"q","choices":["a","b","c","d"],"answer":0,"error_type":"wrong_groundtruth","correct_answer":"2"}
            {"id":"Mercury_1","question":"q","choices":{"text":["a","b","c"],"label":["1","2","3"]},"answerKey":"3"}
            {"id":"7-1","question_stem":"q","choices":{"text":["a","b"],"label":["A","B"]},"answerKey":"A"}
            {"question":{"stem":"q","choices":[{"text":"a","label":"A"},{"text":"b","label":"B"}]},"answerKey":"B"}
            {"question":"q","A":"a","B":"b","C":"c","D":"d","answer":"D"}
            {"question":"q","answer":"so 3+4=7\\n#### 1,234"}
            """)
        #expect(
            questions.map(\.expected) == [
                .text("yes"), .choice(1), .choice(1), .choice(2), .choice(2), .choice(0), .choice(1), .choice(3),
                .number("1234"),
            ])
        #expect(questions[1].subject == "s" && questions[2].id == "x" && questions[4].id == "Mercury_1")
        #expect(questions[6].question == "q" && questions[6].choices == ["a", "b"])
    }

    @Test("CSV with quotes, line breaks and doubled quotes")
    func csv() throws {
        let questions = try read(
            "id,question,A,B,C,D,answer\r\n0,\"one, \"\"two\"\"\nthree\",a,b,c,d,C\n1,plain,e,f,g,h,A\n", as: "q.csv")
        #expect(questions.map(\.question) == ["one, \"two\"\nthree", "plain"])
        #expect(questions.map(\.expected) == [.choice(2), .choice(0)])
    }

    @Test("CSV whose cells hold lists, as JSON, Python or NumPy print them")
    func cells() throws {
        let mmlu = try read(
            """
            question,choices,answer,error_type
            q,"[""a"", ""b""]",1,ok
            q,"['a', ""it's"", 'c\\'d']",1,ok
            q,"['a' 'b'
             'c' 'd']",3,ok
            """, as: "q.csv")
        #expect(mmlu.map(\.choices) == [["a", "b"], ["a", "it's", "c'd"], ["a", "b", "c", "d"]])
        let arc = try read(
            """
            id,question,choices,answerKey
            m,q,"{'text': array(['a', 'b'], dtype=object), 'label': array(['A', 'B'], dtype=object)}",B
            """, as: "q.csv")
        #expect(arc[0].choices == ["a", "b"] && arc[0].expected == .choice(1))
        for cell in ["['a'", "['a' b]", "{'text': 'a'", "[[[[['a']]]]]", "nonsense", "array("] {
            #expect(throws: EvaluationError.self) {
                try read("question,choices,answer\nq,\"\(cell)\",0\n", as: "q.csv")
            }
        }
    }

    @Test("AllenAI's CSV has its choices in the question's text")
    func inlineChoices() throws {
        let questions = try read(
            """
            questionID,AnswerKey,question,category
            M1,C,"Which (of all)? (A) one (B) two (C) three (D) four",Test
            M2,2,Which? (1) one (2) two,Test
            """, as: "q.csv")
        #expect(questions.map(\.id) == ["M1", "M2"] && questions.map(\.expected) == [.choice(2), .choice(1)])
        #expect(questions[0].question == "Which (of all)?" && questions[0].choices == ["one", "two", "three", "four"])
        #expect(throws: EvaluationError.self) { try read("AnswerKey,question\nA,Which?\n", as: "q.csv") }
    }

    @Test("Questions that MMLU-Redux found without a right answer are left out")
    func withoutAnswer() throws {
        let line = #"{"question":"q","choices":["a","b"],"answer":0,"error_type":"no_correct_answer"}"#
        let kept = line.replacing("no_correct_answer", with: "bad_question_clarity")
        #expect(try read(line + "\n" + kept).map(\.id) == ["2"])
        #expect(throws: EvaluationError.self) { try read(line) }
    }

    @Test("Ids that come twice are told apart")
    func ids() throws {
        let line = #"{"id":"a","question":"q","answer":"x"}"#
        #expect(try read(line + "\n" + line).map(\.id) == ["a", "a#2"])
    }

    @Test(
        "What is wrong is said with file and line",
        arguments: [
            ("{\"question\":\"q\",\"answer\":\"a\"}\n\nnonsense", 3, "JSON"), ("[]\n", nil, "no question"),
            ("7\n", 1, "object"),
            (#"{"answer":"a"}"#, 1, "question"), (#"{"question":"q"}"#, 1, "answer"),
            (#"{"question":"q","answer":" "}"#, 1, "empty"), (#"{"question":7.5,"answer":"a"}"#, 1, "question"),
            (#"{"question":"q","choices":["a"],"answer":0}"#, 1, "two choices"),
            (#"{"question":"q","choices":["a","b"],"answer":2}"#, 1, "none of the 2"),
            (#"{"question":"q","choices":["a","b"],"answer":-1}"#, 1, "none of the 2"),
            (#"{"question":"q","choices":{"text":["a","b"],"label":["A"]},"answerKey":"A"}"#, 1, "label"),
            (#"{"question":"q","choices":{"text":["a","b"],"label":["A","B"]},"answerKey":"C"}"#, 1, "answerKey"),
            ("{\"question\":\"q\",\"answer\":\"#### x\"}", 1, "number"),
        ] as [(String, Int?, String)])
    func malformed(text: String, line: Int?, words: String) throws {
        do {
            _ = try read(text)
            Issue.record("\(text) was read")
        } catch let error as EvaluationError {
            #expect(error.line == line && error.reason.contains(words), "\(error)")
            #expect(error.file.hasSuffix("q.jsonl"))
        }
    }

    @Test("Files without questions, and files that aren't there")
    func files() throws {
        #expect(throws: EvaluationError.self) { try read("") }
        #expect(throws: EvaluationError.self) { try read("a,b\n", as: "q.csv") }
        #expect(throws: EvaluationError.self) { try read("a,b\n1\n", as: "q.csv") }
        #expect(throws: EvaluationError.self) { try read("a,b\n\"1,2\n", as: "q.csv") }
        #expect(throws: EvaluationError.self) { try QuestionFile.read(missingPath, format: nil) }
    }
}

@Suite struct AnswerTextTests {
    private func choice(_ text: String, count: Int = 4) -> String? {
        let choices = (0..<count).map { "choice \($0)" }
        return AnswerText.grade(
            text, for: EvaluationQuestion(id: "", question: "", choices: choices, expected: .choice(0))
        ).predicted
    }

    @Test("Letters are read from answers as the paper's evaluation reads them")
    func letters() {
        #expect(choice("The correct answer is B.") == "B")
        #expect(choice("Answer: (C) because A and B are wrong") == "C")
        #expect(choice("I think D") == "D")
        #expect(choice("B") == "B")
        #expect(choice("A or maybe C") == "C")
        #expect(choice("I can't say.") == nil && choice("") == nil)
        #expect(choice("The correct answer is E", count: 4) == nil)
        #expect(choice("The correct answer is E", count: 5) == "E")
    }

    /// What the paper's implementation makes of them, run on these texts.
    @Test(
        "Letters that are hard to read",
        arguments: [
            ("The answer is Cat", "C"), ("Answer:\n\n  C. foo", "C"), ("Answer: ?\nYour answer: B", "B"),
            ("The correct answer is the second one, i.e. B", "B"), ("B) foo\nC) bar", "C"), ("It is a cat", "A"),
            ("vitamin a", "A"), ("a+b=c so D", nil), ("x + a = b, the correct one", "B"),
            ("We get A = 5. Thus C.", nil),
            ("Jibu sahihi: A", "A"), ("The Best Choice", "C"), ("C_1", "C"), ("A or B, not C", "C"), ("C.)", "C"),
            ("Since A. it is B", "B"), ("答案:C", "C"), ("答案是C。", "C"), ("A. then more", "A"),
        ] as [(String, String?)])
    func hardLetters(text: String, letter: String?) {
        #expect(choice(text) == letter, "\(text)")
    }

    @Test("Numbers and words")
    func others() {
        let number = EvaluationQuestion(id: "", question: "", expected: .number("1234"))
        func grade(_ text: String, _ question: EvaluationQuestion) -> AnswerText.Grade {
            AnswerText.grade(text, for: question)
        }
        #expect(grade("so 5 and\nAnswer: $1,234.00.", number).predicted == "1234.00")
        #expect(grade("1234.00", number).score == 1 && grade("12", number).score == 0)
        #expect(grade("no idea", number).predicted == nil)
        for (text, value) in [
            ("Answer: 18 dollars for 2 eggs", "18"), ("Answer: 3 + 15 = 18", "18"),
            ("Answer: 18\nI checked 3 times.", "18"),
            ("Answer: 12. Wait.\n**Answer:** 18", "18"), ("It is \\boxed{18} and not 3", "18"),
            ("18 eggs, then 2", "2"),
            ("The answer is 18, from 4", "18"), ("Answer: -5", "-5"), ("Answer: none of 7\n", "7"),
        ] {
            #expect(grade(text, number).predicted == value, "\(text)")
        }
        let words = EvaluationQuestion(id: "", question: "", expected: .text("New York"))
        #expect(grade("She lives in new york.", words).score == 1)
        #expect(grade("She lives in York, New.", words).score == 0)
        #expect(grade("newyork", words).score == 0)
    }

    @Test("Prompts are the paper's implementation's, to the letter")
    func prompt() {
        let choices = ["x", "y", "z", "w"]
        #expect(
            AnswerText.prompt(
                for: EvaluationQuestion(id: "", question: "What?", choices: choices, expected: .choice(0)))
                == "Accurately answer the following question:\n\nWhat?\n\nChoices:\nA. x\nB. y\nC. z\nD. w\n\n\n"
                + "Instructions:\n- Carefully read the question and all options.\n"
                + "- Select the single most correct answer.\n"
                + "- Respond ONLY in the following format: \"The correct answer is A/B/C/D\".\n"
                + "- Do not include any explanations, additional text, or punctuation besides the answer.\n\n"
                + "The correct answer is")
        #expect(
            AnswerText.prompt(for: EvaluationQuestion(id: "", question: "How many?", expected: .number("1")))
                == "Solve the following math problem step by step. The last line of your response should be of the form "
                + "Answer: $ANSWER (without quotes) where $ANSWER is the answer to the problem.\n\nHow many?\n\n"
                + "Please think step by step and explain your reasoning. Remember to put your answer on its own line after "
                + "\"Answer:\", and you do not need to use a \\boxed command.")
    }
}

@Suite struct ResultLogTests {
    private func result(
        _ id: String, _ mode: String, correct: Bool = true, total: Double = 1, batch: Int? = nil
    ) -> EvaluationResult {
        EvaluationResult(
            id: id, mode: mode, subject: nil, question: "<q>", expected: "x", predicted: correct ? "x" : nil,
            correct: correct, text: "x & y", tokens: 2, background_tokens: 0, sequential_steps: 3, ttft_s: total / 2,
            total_s: total, batch: batch)
    }

    @Test("A log is read again, and a line that was cut off is forgotten")
    func resume() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        let settings = ["questions": "q.jsonl"]
        var first: ResultLog? = try ResultLog(path: file.path, settings: settings)
        try first?.append(result("1", "c2c"))
        try first?.append(result("1", "text", batch: 4))
        var data = try Data(contentsOf: file)
        let whole = data.count
        data.append(contentsOf: Array(#"{"id":"2","mode":"c2"#.utf8))
        try data.write(to: file)

        #expect(throws: EvaluationError.self, "in use") { try ResultLog(path: file.path, settings: settings) }
        let results = try #require(first).results
        first = nil
        var second: ResultLog? = try ResultLog(path: file.path, settings: settings)
        #expect(second?.results == results)
        #expect(second?.contains(id: "1", mode: "c2c") == true && second?.contains(id: "2", mode: "c2c") == false)
        #expect(try Data(contentsOf: file).count == whole)
        try second?.append(result("2", "c2c"))
        second = nil
        #expect(try ResultLog(path: file.path, settings: settings).results.count == 3)
    }

    @Test("Results of another evaluation, or something else, are refused")
    func others() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        _ = try ResultLog(path: file.path, settings: ["method": "generate"])
        #expect(throws: EvaluationError.self) { try ResultLog(path: file.path, settings: ["method": "logits"]) }
        try Data("hello\n".utf8).write(to: file)
        #expect(throws: EvaluationError.self) { try ResultLog(path: file.path, settings: ["method": "logits"]) }
        #expect(throws: EvaluationError.self) { try ResultLog(path: missingPath, settings: [:]) }
    }

    @Test("A summary counts, and its page shows, what was measured")
    func summary() {
        var results = (0..<10).map { result("\($0)", "c2c", correct: $0 < 8, total: 1) }
        results += (0..<10).map { result("\($0)", "text", total: 2) }
        let summary = EvaluationSummary(
            device: "<device>", modes: ["text", "c2c"], results: results,
            gates: [[LayerGates(receiver_layer: 0, sharer_layer: 2, key: 1, value: -1)]])
        #expect(summary.modes.map(\.mode) == ["text", "c2c"])
        #expect(summary.modes[1].accuracy == 0.8 && summary.modes[1].parse_failures == 2)
        // Wilson's interval for 8 of 10: 0.4902 to 0.9433.
        #expect(abs(summary.modes[1].accuracy_low - 0.4902) < 1e-3)
        #expect(abs(summary.modes[1].accuracy_high - 0.9433) < 1e-3)
        #expect(summary.c2c_speedup_over_text == 2)
        let page = ReportPage.html(summary, results)
        #expect(page.contains("&lt;device&gt;") && !page.contains("<device>"))
        #expect(page.contains("Where the modes disagree: 2 questions") && page.contains("<svg"))
        // Text is right in two cases where c2c is wrong, and never the other way round.
        #expect(page.contains(#"0.50)">2</td>"#) && page.contains("Which mode is right where another is wrong"))
        #expect(
            ReportPage.html(summary, results, settings: ["method": "<m>", "system": ""]).contains("<td>&lt;m&gt;</td>"))
        #expect(!page.contains("src=") && !page.contains("http"))
    }

    @Test("Latency is of questions that were asked one by one, the rate of all")
    func batches() {
        // A batch of four that took two seconds, and two questions of one second each.
        var results = (0..<4).map { result("\($0)", "c2c", total: 2, batch: 4) }
        results += (4..<6).map { result("\($0)", "c2c", total: 1) }
        results += (0..<4).map { result("\($0)", "text", total: 4, batch: 4) }
        let summary = EvaluationSummary(device: "d", modes: ["text", "c2c"], results: results, gates: [])
        let (text, fused) = (summary.modes[0], summary.modes[1])
        #expect(fused.batch == 4 && fused.questions_per_s == 1.5 && fused.median_total_s == 1)
        #expect(text.batch == 4 && text.questions_per_s == 1 && text.median_total_s == nil)
        #expect(summary.c2c_speedup_over_text == nil)
        #expect(summary.text.contains("questions/s |") && summary.text.contains("asked up to 4 at a time"))
        #expect(ReportPage.html(summary, results).contains("Up to 4 questions"))
        let alone = EvaluationSummary(device: "d", modes: ["c2c"], results: Array(results[4..<6]), gates: [])
        #expect(alone.modes[0].batch == 1 && !alone.text.contains("questions/s"))
    }
}

/// A path in a folder that isn't there.
private let missingPath = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString + "/file").path
