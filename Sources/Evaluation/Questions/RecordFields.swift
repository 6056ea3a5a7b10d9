import JSON

extension JSONValue {
    /// Text, or a number as text.
    var plainText: String? {
        switch self {
        case .string(let text): text
        case .integer(let value): "\(value)"
        default: nil
        }
    }

    /// An integer, also as text or as pandas writes those of columns with gaps: `1.0`.
    var wholeNumber: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        case .string(let text): Int(text) ?? (text.hasSuffix(".0") ? Int(text.dropLast(2)) : nil)
        default: nil
        }
    }
}

extension JSONObject {
    func text(_ key: String) throws -> String {
        guard let value = self[key] else { throw FieldError(reason: "has no \"\(key)\"") }
        guard let text = value.plainText else { throw FieldError(reason: "\"\(key)\" is \(value.kind), not text") }
        return text
    }

    /// The index of the choice that a key names by its label.
    func label(_ key: String, _ labels: [String]) throws -> Int {
        let label = try text(key)
        guard let index = labels.firstIndex(of: label) else {
            throw FieldError(reason: "\"\(key)\" is \(label), the labels are \(labels.joined(separator: ", "))")
        }
        return index
    }

    func choices(_ key: String) throws -> [String] {
        guard case .array(let values) = self[key], values.count >= 2 else {
            throw FieldError(reason: "\"\(key)\" is no list of two choices or more")
        }
        return try values.map { value in
            if case .number(let number) = value { return "\(number)" }
            guard let text = value.plainText else { throw FieldError(reason: "a choice is \(value.kind), not text") }
            return text
        }
    }

    /// The choices in `A`, `B` and so on; tables may have empty ones at the end.
    func letteredChoices() throws -> [String] {
        var choices = try ["A", "B", "C", "D"].filter { self[$0] != nil && self[$0] != .null }.map(text)
        while choices.count > 2, choices.last?.isEmpty == true { choices.removeLast() }
        guard choices.count >= 2, !choices.contains(""),
            ["A", "B", "C", "D"].prefix(choices.count).allSatisfy({ self[$0] != nil })
        else { throw FieldError(reason: "has an empty choice before the last in \"A\", \"B\", \"C\", \"D\"") }
        return choices
    }

    /// Choices as two lists, or as a list of pairs.
    func labelledChoices() throws -> (texts: [String], labels: [String]) {
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

    /// That an answer in words is not the letter or index of a choice in a field that isn't known: such a question would be
    /// asked without its choices.
    func checkNoUnknownChoices(_ answer: String) throws {
        let answer = answer.filter { !$0.isWhitespace }
        guard answer.utf8.count == 1, answer.allSatisfy({ ("A"..."J").contains($0) || ("0"..."9").contains($0) }) else {
            return
        }
        let list = first { key, value in
            guard case .array(let values) = value, values.count >= 2 else { return false }
            return values.allSatisfy { $0.plainText != nil }
        }
        // One field for each choice: opa and opb, option1 and option2.
        let series = keys.first { key in
            guard let last = key.last, key.count > 1, let next = ["a": "b", "A": "B", "0": "1", "1": "2"][last] else {
                return false
            }
            return self[key.dropLast() + next] != nil
        }
        if let field = list?.key ?? series {
            throw FieldError(
                reason: "\"answer\" is \(answer), as if of choices, but there is no \"choices\"; "
                    + "if they are in \"\(field)\", put them into a list \"choices\"")
        }
    }
}
