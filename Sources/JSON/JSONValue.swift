/// A parsed JSON value. Integers stay exact; a boolean never passes as a number.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number written without fraction and exponent that fits an `Int`.
    case integer(Int)
    /// One that does not, as its decimal digits after a minus sign where it is negative.
    case large(String)
    /// Any other number; not finite where the text says NaN, Infinity or a number that no double reaches.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The JSON type's name with its article, for messages.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .large, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// A JSON object whose members keep the order they were written in: templates print tools as their authors wrote
/// them. Keys are told apart byte by byte. Two objects are equal if their members are, in whatever order.
package struct JSONObject: Sendable, Equatable, ExpressibleByDictionaryLiteral, Sequence {
    package private(set) var keys: [String] = []
    private var values: [ExactText: JSONValue] = [:]

    package init() {}

    /// A later value for the same key replaces the earlier one, in its place.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        for (key, value) in elements { self[key] = value }
    }

    package var count: Int { keys.count }
    package var isEmpty: Bool { keys.isEmpty }

    /// The value of a member, or nil. A new key goes to the end; setting nil removes the member.
    package subscript(key: String) -> JSONValue? {
        get { values[ExactText(key)] }
        set {
            let exact = ExactText(key)
            let old = values.updateValue(newValue ?? .null, forKey: exact)
            if newValue == nil {
                values[exact] = nil
                keys.removeAll { ExactText($0) == exact }
            } else if old == nil {
                keys.append(key)
            }
        }
    }

    package func makeIterator() -> AnyIterator<(key: String, value: JSONValue)> {
        var index = 0
        return AnyIterator {
            guard index < keys.count else { return nil }
            defer { index += 1 }
            return (keys[index], values[ExactText(keys[index])] ?? .null)
        }
    }

    package static func == (left: JSONObject, right: JSONObject) -> Bool { left.values == right.values }
}
