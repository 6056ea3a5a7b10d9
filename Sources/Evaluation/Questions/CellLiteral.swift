import JSON

/// A list or an object in a cell of a CSV file, as JSON or as Python prints it: `['a', "b"]`, NumPy's `['a' 'b']` and
/// `{'text': array(['a'], dtype=object)}`, which is what exports of public question sets hold.
struct CellLiteral {
    private var rest: Substring.UnicodeScalarView

    /// Nil for text that is neither; whoever needs a list then says so.
    static func value(of text: String) -> JSONValue? {
        if let json = try? JSONParser.parse(text) { return json }
        var literal = CellLiteral(rest: Substring(text).unicodeScalars)
        guard let value = literal.value(depth: 0) else { return nil }
        literal.skipSpace()
        return literal.rest.isEmpty ? value : nil
    }

    private mutating func value(depth: Int) -> JSONValue? {
        skipSpace()
        // Choices by text and label are no deeper.
        guard depth < 4, let first = rest.first else { return nil }
        switch first {
        case "'", "\"": return string().map(JSONValue.string)
        case "[":
            rest.removeFirst()
            var values: [JSONValue] = []
            while !take("]") {
                guard let value = value(depth: depth + 1) else { return nil }
                values.append(value)
                _ = take(",")
            }
            return .array(values)
        case "{":
            rest.removeFirst()
            var object: JSONObject = [:]
            while !take("}") {
                skipSpace()
                guard let key = string(), take(":"), let value = value(depth: depth + 1) else { return nil }
                object[key] = value
                _ = take(",")
            }
            return .object(object)
        default:
            return take("array(") ? array(depth: depth + 1) : number()
        }
    }

    /// NumPy's, from after its parenthesis on.
    private mutating func array(depth: Int) -> JSONValue? {
        guard let value = value(depth: depth), let end = rest.firstIndex(of: ")") else { return nil }
        rest = rest[rest.index(after: end)...]
        return value
    }

    private mutating func number() -> JSONValue? {
        let digits = rest.prefix { $0 == "-" || $0 == "." || ("0"..."9").contains($0) }
        guard !digits.isEmpty else { return nil }
        rest = rest[digits.endIndex...]
        return Int(String(digits)).map(JSONValue.integer) ?? .string(String(digits))
    }

    private mutating func string() -> String? {
        guard let quote = rest.first, quote == "'" || quote == "\"" else { return nil }
        rest.removeFirst()
        var text = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            switch scalar {
            case quote: return String(text)
            case "\\":
                guard let escaped = rest.popFirst() else { return nil }
                text.append(["n": "\n", "t": "\t", "r": "\r"][escaped] ?? escaped)
            default: text.append(scalar)
            }
        }
        return nil
    }

    private mutating func take(_ text: String) -> Bool {
        skipSpace()
        guard rest.starts(with: text.unicodeScalars) else { return false }
        rest.removeFirst(text.unicodeScalars.count)
        return true
    }

    private mutating func skipSpace() {
        rest = rest.drop { $0.properties.isWhitespace }
    }
}
