import JSON

/// How a field says which choice is right.
enum AnswerReading {
    /// By its index from 0, its letter or its text, whichever fits; an integer is an index.
    case any
    /// As an index where it can be one, as MMLU has it.
    case index
    /// As a letter where it can be one.
    case letter
}

extension JSONObject {
    /// The index of the right choice.
    ///
    /// - Throws: `FieldError` where no choice is meant, or where two could be.
    func choice(_ key: String, _ choices: [String], _ reading: AnswerReading) throws -> Int {
        guard let value = self[key] else { throw FieldError(reason: "has no \"\(key)\"") }
        let isNumber: Bool
        let text: String
        switch value {
        case .integer(let number): (isNumber, text) = (true, "\(number)")
        case .number(let number): (isNumber, text) = (true, "\(number)")
        case .string(let string): (isNumber, text) = (false, string)
        default: throw FieldError(reason: "\"\(key)\" is \(value.kind), not an index, a letter or a choice")
        }
        let index = value.trimmed.wholeNumber.flatMap { choices.indices.contains($0) ? $0 : nil }
        if isNumber, let index { return index }
        let letter = Self.letter(in: text).flatMap { choices.indices.contains($0) ? $0 : nil }
        switch reading {
        case .any: break
        case .index: if let found = index ?? letter { return found }
        case .letter: if let found = letter ?? index { return found }
        }
        let trimmed = text.trimmed
        let same = choices.indices.filter { choices[$0] == text || choices[$0].trimmed == trimmed }
        let meant = Set(same + [index, letter].compactMap { $0 }).sorted()
        guard let first = meant.first else {
            throw FieldError(reason: "\"\(key)\" is \(text), which is none of the \(choices.count) choices")
        }
        guard meant.count == 1 else {
            let letters = meant.map { "choice \(EvaluationQuestion.letter($0))" }.joined(separator: " or ")
            throw FieldError(
                reason: "\"\(key)\" is \"\(text)\", which could be \(letters); write its index as a number in JSON, "
                    + "or say how it is meant: --format mmlu-redux where it is an index, --format mmlu-pro (with "
                    + "\"options\") where it is a letter")
        }
        return first
    }

    /// The index of a letter, alone or as `(B)`, `B)`, `B.` or `B:`.
    private static func letter(in text: String) -> Int? {
        var letter = text.trimmed[...]
        if letter.hasPrefix("(") { letter.removeFirst() }
        while let last = letter.last, ").:".contains(last) { letter.removeLast() }
        guard letter.utf8.count == 1, let byte = letter.utf8.first, (0x41...0x5A).contains(byte) else { return nil }
        return Int(byte) - 0x41
    }
}

extension String {
    /// Without white space at its ends.
    var trimmed: String {
        let start = drop(while: \.isWhitespace)
        return String(start.reversed().drop(while: \.isWhitespace).reversed())
    }
}

extension JSONValue {
    fileprivate var trimmed: JSONValue {
        if case .string(let text) = self { return .string(text.trimmed) }
        return self
    }
}
