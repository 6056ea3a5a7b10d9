/// How questions are put, and answers read, as the paper's evaluation does (arXiv 2510.03215; the wording is that of its
/// implementation, github thu-nics/C2C, `rosetta/utils/evaluate.py`).
public enum AnswerText {
    /// What the answer to a question of choice begins with, where logits decide.
    public static let choicePrefix = "The correct answer is"

    /// The text that a model is asked.
    public static func prompt(for question: EvaluationQuestion) -> String {
        switch question.expected {
        case .text: return question.question
        case .number:
            return """
                Solve the following math problem step by step. The last line of your response should be of the form \
                Answer: $ANSWER (without quotes) where $ANSWER is the answer to the problem.

                \(question.question)

                Remember to put your answer on its own line after "Answer:", and you do not need to use a \\boxed command.
                """
        case .choice:
            let choices = question.choices.enumerated().map { "\(EvaluationQuestion.letter($0)). \($1)" }
            let letters = question.choices.indices.map(EvaluationQuestion.letter).joined(separator: "/")
            return """
                Accurately answer the following question:

                \(question.question)

                Choices:
                \(choices.joined(separator: "\n"))

                Instructions:
                - Carefully read the question and all options.
                - Select the single most correct answer.
                - Respond ONLY in the following format: "The correct answer is \(letters)".
                - Do not include any explanations, additional text, or punctuation besides the answer.

                The correct answer is
                """
        }
    }

    /// A right answer in the form that is asked for.
    static func answer(to question: EvaluationQuestion) -> String {
        switch question.expected {
        case .choice(let index): "\(choicePrefix) \(EvaluationQuestion.letter(index))"
        case .number(let number): "Answer: \(number)"
        case .text(let text): text
        }
    }

    /// What an answer says, as answers are recorded; nil where nothing in it can be read as one.
    public static func prediction(_ text: String, for question: EvaluationQuestion) -> String? {
        switch question.expected {
        case .choice: return letter(in: text, count: question.choices.count)
        case .number: return lastNumber(in: afterMark(text) ?? text)
        case .text:
            let trimmed = text.trimmingPrefix(while: \.isWhitespace)
            return trimmed.isEmpty ? nil : String(trimmed)
        }
    }

    public static func isRight(_ prediction: String, for question: EvaluationQuestion) -> Bool {
        switch question.expected {
        case .choice(let index): return prediction == EvaluationQuestion.letter(index)
        case .number(let number): return Double(prediction) == Double(number)
        case .text(let text):
            let (words, wanted) = (words(prediction), words(text))
            guard !wanted.isEmpty, words.count >= wanted.count else { return false }
            return (0...(words.count - wanted.count)).contains { words[$0...].starts(with: wanted) }
        }
    }

    /// Lower-case words without punctuation.
    private static func words(_ text: String) -> [Substring] {
        text.lowercased().split { !($0.isLetter || $0.isNumber) }
    }

    // MARK: Letters

    private static let marks = [
        "correct answer is", "the answer is", "correct answer:", "answer:", "choice:", "option:",
    ]

    /// The letter after words such as "the answer is", else one that stands alone, the last of several.
    private static func letter(in text: String, count: Int) -> String? {
        let letters = Set((0..<count).map(EvaluationQuestion.letter))
        let lower = text.lowercased()
        for mark in marks {
            guard let range = lower.range(of: mark) else { continue }
            let offset = lower.distance(from: lower.startIndex, to: range.upperBound)
            guard let start = text.index(text.startIndex, offsetBy: offset, limitedBy: text.endIndex) else { continue }
            let line = text[start...].prefix { !$0.isNewline }
            if let found = standing(in: line, letters).first { return found }
        }
        return standing(in: text[...], letters).last
    }

    /// Letters that are words of their own.
    private static func standing(in text: Substring, _ letters: Set<String>) -> [String] {
        text.split { !($0.isLetter || $0.isNumber) }.map(String.init).filter(letters.contains)
    }

    // MARK: Numbers

    private static func afterMark(_ text: String) -> String? {
        let parts = text.lowercased().split(separator: "answer:")
        return parts.count > 1 ? parts.last.map(String.init) : nil
    }

    /// The last number, without thousands' separators.
    static func lastNumber(in text: String) -> String? {
        var numbers: [String] = []
        var current = ""
        func end() {
            while current.hasSuffix(".") { current.removeLast() }
            if Double(current) != nil { numbers.append(current) }
            current = ""
        }
        for character in text {
            if character.isASCII, character.isNumber || character == "." && !current.isEmpty {
                current.append(character)
            } else if character == ",", !current.isEmpty {
                continue
            } else {
                end()
                if character == "-" { current = "-" }
            }
        }
        end()
        return numbers.last
    }
}

extension String {
    fileprivate func trimmingPrefix(while predicate: (Character) -> Bool) -> Substring { drop(while: predicate) }
}
