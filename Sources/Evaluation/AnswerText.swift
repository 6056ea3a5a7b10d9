import Foundation

/// How questions are put, and answers read, as the paper's evaluation does (arXiv 2510.03215; the wording is that of its
/// implementation, github thu-nics/C2C, `rosetta/utils/evaluate.py`).
public enum AnswerText {
    /// What the answer to a question of choice begins with, where logits decide.
    public static let choicePrefix = "The correct answer is"

    /// The text that a model is asked.
    public static func prompt(for question: EvaluationQuestion) -> String {
        switch question.expected {
        case .text: return question.question
        case .longText(let reference): return reference.prompt
        case .number, .mathematics:
            return """
                Solve the following math problem step by step. The last line of your response should be of the form \
                Answer: $ANSWER (without quotes) where $ANSWER is the answer to the problem.

                \(question.question)

                Please think step by step and explain your reasoning. Remember to put your answer on its own line after \
                "Answer:", and you do not need to use a \\boxed command.
                """
        case .choice:
            // Each choice ends its line, so that two empty lines follow the last one.
            let choices = question.choices.enumerated().map { "\(EvaluationQuestion.letter($0)). \($1)\n" }
            let letters = (0..<question.namedLetters).map(EvaluationQuestion.letter).joined(separator: "/")
            return """
                Accurately answer the following question:

                \(question.question)

                Choices:
                \(choices.joined())

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
        case .mathematics(let term): "Answer: $\(term)$"
        case .text(let text): text
        case .longText(let reference): reference.answers[0]
        }
    }

    /// What an answer says, and how right that is.
    public struct Grade: Sendable, Equatable {
        /// As answers are recorded; nil where nothing in the text can be read as one.
        public var predicted: String?
        /// 0 to 1; answers that are right or wrong have 1 or 0.
        public var score: Double

        init(_ predicted: String?, isRight: Bool) {
            self.predicted = predicted
            score = isRight ? 1 : 0
        }

        init(_ predicted: String?, score: Double) {
            self.predicted = predicted
            self.score = score
        }
    }

    /// Reads and measures an answer.
    public static func grade(_ text: String, for question: EvaluationQuestion) -> Grade {
        switch question.expected {
        case .choice:
            let named = letter(in: text, count: question.namedLetters)
            let count = question.choices.count
            return grade(
                letter: named ?? (count > question.namedLetters ? letter(in: text, count: count) : nil), for: question)
        case .number(let number):
            let predicted = self.number(in: text)
            return Grade(predicted, isRight: predicted.map { Double($0) == Double(number) } ?? false)
        case .text(let wanted):
            let trimmed = text.drop(while: \.isWhitespace)
            return Grade(trimmed.isEmpty ? nil : String(trimmed), isRight: contains(trimmed, wanted))
        case .mathematics(let gold):
            let (predicted, isRight) = MathAnswer.grade(text, gold: gold)
            return Grade(predicted, isRight: isRight)
        case .longText(let reference):
            let trimmed = text.trimmingCharacters(in: CharacterSet(charactersIn: "\n"))
            return Grade(trimmed.isEmpty ? nil : trimmed, score: LongBenchTask.score(text, reference))
        }
    }

    /// Measures a choice by its letter.
    static func grade(letter: String?, for question: EvaluationQuestion) -> Grade {
        guard case .choice(let index) = question.expected else { return Grade(letter, isRight: false) }
        return Grade(letter, isRight: letter == EvaluationQuestion.letter(index))
    }

    /// Whether a text holds another, word for word.
    private static func contains(_ text: Substring, _ wanted: String) -> Bool {
        let (words, wanted) = (words(text), words(wanted))
        guard !wanted.isEmpty, words.count >= wanted.count else { return false }
        return (0...(words.count - wanted.count)).contains { words[$0...].starts(with: wanted) }
    }

    /// Lower-case words without punctuation.
    private static func words(_ text: some StringProtocol) -> [Substring] {
        text.lowercased().split { !($0.isLetter || $0.isNumber) }
    }

    // MARK: Letters

    /// What comes before an answer, in the order in which it is looked for.
    private static let marks = [
        "answer:", "your answer:", "the answer is", "correct answer is", "correct answer is:", "correct answer:",
        "jibu lako:", "jibu:", "jibu sahihi:", "response:", "choice:", "option:",
    ]
    private static let answerWords = ["jibu", "answer", "choice", "option", "response", "correct", "sahihi"]
    private static let mathematics = ["+", "-", "*", "/", "=", "^", "mod", "sqrt", "sin", "cos", "tan"]

    /// The letter of a choice, found as the paper's implementation finds it: the first capital in the line after a mark; else
    /// the last letter that stands alone, best at the end, then before punctuation, unless it may be a formula's; else the
    /// last capital.
    private static func letter(in answer: String, count: Int) -> String? {
        let text = answer.trimmingCharacters(in: .whitespacesAndNewlines)
        // Letters that no choice has are read too, as wrong ones.
        let letters = Set((0..<max(4, count)).flatMap { EvaluationQuestion.letter($0).unicodeScalars })
        for mark in marks {
            guard let range = text.range(of: mark, options: .caseInsensitive) else { continue }
            let line = text.unicodeScalars[range.upperBound...].drop { $0.properties.isWhitespace }.prefix {
                $0 != "\n"
            }
            if let found = line.first(where: letters.contains) { return String(found) }
        }
        let alone = LoneLetter.all(in: Array(text.unicodeScalars), of: letters)
        guard !alone.isEmpty else { return text.unicodeScalars.last(where: letters.contains).map { String($0) } }
        let lower = text.lowercased()
        let isFormula = mathematics.contains { text.contains($0) } && !answerWords.contains { lower.contains($0) }
        guard !isFormula else { return nil }
        return (alone.last { $0.place == .end } ?? alone.last { $0.place == .punctuated } ?? alone.last)?.letter
    }

    /// A letter that is a word of its own, of either case.
    private struct LoneLetter {
        enum Place {
            /// Nothing but a punctuation mark follows.
            case end
            /// A punctuation mark and white space follow.
            case punctuated
            case inside
        }

        var letter: String
        var place: Place

        static func all(in text: [Unicode.Scalar], of letters: Set<Unicode.Scalar>) -> [LoneLetter] {
            func isWord(_ index: Int) -> Bool {
                text.indices.contains(index) && PythonText.isWord(text[index])
            }
            return text.indices.compactMap { index in
                let capital = String(text[index]).uppercased()
                guard capital.unicodeScalars.allSatisfy(letters.contains), !isWord(index - 1), !isWord(index + 1)
                else { return nil }
                let rest = text[(index + 1)...].drop { $0.properties.isWhitespace }
                guard let mark = rest.first else { return LoneLetter(letter: capital, place: .end) }
                guard ".,!?:)".unicodeScalars.contains(mark) else {
                    return LoneLetter(letter: capital, place: .inside)
                }
                let after = rest.dropFirst()
                if after.allSatisfy(\.properties.isWhitespace) { return LoneLetter(letter: capital, place: .end) }
                let isPunctuated = after.first?.properties.isWhitespace ?? false
                return LoneLetter(letter: capital, place: isPunctuated ? .punctuated : .inside)
            }
        }
    }

    // MARK: Numbers

    /// The number in the last box; else the first on the line after the last "answer:" or "answer is", or after an equals
    /// sign there; else the last of all.
    private static func number(in text: String) -> String? {
        if let box = text.range(of: "\\boxed{", options: .backwards),
            let found = numbers(in: text[box.upperBound...].prefix { $0 != "}" }).last
        {
            return found
        }
        let marks = ["answer:", "answer is"].compactMap { mark in
            text.range(of: mark, options: [.caseInsensitive, .backwards])?.upperBound
        }
        if let mark = marks.max() {
            let line = text[mark...].drop { $0.isWhitespace || $0 == "*" }.prefix { !$0.isNewline }
            let value = line.lastIndex(of: "=").map { line[line.index(after: $0)...] } ?? line
            if let found = numbers(in: value).first { return found }
        }
        return numbers(in: text[...]).last
    }

    /// All numbers, without thousands' separators.
    static func numbers(in text: Substring) -> [String] {
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
        return numbers
    }
}
