/// A question with its right answer.
public struct EvaluationQuestion: Sendable, Equatable {
    public enum Expected: Sendable, Equatable {
        /// The index of the right choice.
        case choice(Int)
        /// Text that a right answer contains, word for word.
        case text(String)
        /// A number that a right answer ends with.
        case number(String)
        /// A term in LaTeX that a right answer equals.
        case mathematics(String)
        /// What an answer to a task of LongBench is measured by.
        case longText(LongBenchTask.Reference)
    }

    /// Unique within its set.
    public var id: String
    public var question: String
    /// Empty for a question that is answered in words.
    public var choices: [String]
    public var expected: Expected
    public var subject: String?
    /// How many letters the prompt names as possible answers. The paper's implementation always names four, and reads these
    /// first; so it is for the sets of more choices that it asks.
    public var namedLetters: Int

    public init(
        id: String, question: String, choices: [String] = [], expected: Expected, subject: String? = nil,
        namedLetters: Int? = nil
    ) {
        self.id = id
        self.question = question
        self.choices = choices
        self.expected = expected
        self.subject = subject
        self.namedLetters = namedLetters ?? choices.count
    }

    /// `A`, `B`, ... for the choices.
    public static func letter(_ index: Int) -> String {
        Unicode.Scalar(UInt32(0x41 + index)).map { String($0) } ?? "?"
    }

    /// The right answer as answers are recorded.
    public var expectedText: String {
        switch expected {
        case .choice(let index): Self.letter(index)
        case .text(let text), .number(let text), .mathematics(let text): text
        case .longText(let reference): reference.answers.joined(separator: " | ")
        }
    }
}

/// What is wrong with a question file or a file of results: where, and how to mend it.
public struct EvaluationError: Error, Equatable, CustomStringConvertible {
    public let file: String
    /// Counted from 1; nil for the file as a whole.
    public let line: Int?
    public let reason: String

    public init(_ file: String, line: Int? = nil, _ reason: String) {
        self.file = file
        self.line = line
        self.reason = reason
    }

    public var description: String { "\(file)\(line.map { ":\($0)" } ?? ""): \(reason)" }
}
