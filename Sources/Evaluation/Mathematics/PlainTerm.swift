/// Reads sums as Python writes them, such as `(3+4)*2` or `2^10`.
struct PlainTerm {
    private var rest: Substring
    private var depth = 0

    private struct Unreadable: Error {}

    /// - Returns: nil for what isn't one.
    static func parse(_ text: String) -> MathTerm? {
        var parser = PlainTerm(rest: text.replacing("**", with: "^")[...])
        guard let term = try? parser.sum() else { return nil }
        parser.skipSpace()
        return parser.rest.isEmpty ? term : nil
    }

    private mutating func skipSpace() { rest = rest.drop(while: \.isWhitespace) }

    private mutating func take(_ mark: Character) -> Bool {
        skipSpace()
        guard rest.first == mark else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func sum() throws -> MathTerm {
        depth += 1
        defer { depth -= 1 }
        guard depth < 50 else { throw Unreadable() }
        var left = try product()
        while true {
            if take("+") {
                left = .plus(left, try product())
            } else if take("-") {
                left = .plus(left, try product().negated)
            } else {
                return left
            }
        }
    }

    private mutating func product() throws -> MathTerm {
        var left = try unary()
        while true {
            if take("*") {
                left = .times(left, try unary())
            } else if take("/") {
                left = .quotient(left, try unary())
            } else {
                return left
            }
        }
    }

    private mutating func unary() throws -> MathTerm {
        if take("-") { return try unary().negated }
        if take("+") { return try unary() }
        return try power()
    }

    private mutating func power() throws -> MathTerm {
        let base = try atom()
        return take("^") ? .power(base, try unary()) : base
    }

    private mutating func atom() throws -> MathTerm {
        if take("(") {
            let term = try sum()
            guard take(")") else { throw Unreadable() }
            return term
        }
        skipSpace()
        let digits = rest.prefix { $0 == "." || ("0"..."9").contains($0) }
        guard let number = LaTeXParser.number(String(digits)), !digits.isEmpty else { throw Unreadable() }
        // Python takes no number that begins with zero.
        guard digits.contains(".") || digits == "0" || !digits.hasPrefix("0") || digits.allSatisfy({ $0 == "0" }) else {
            throw Unreadable()
        }
        rest = rest.dropFirst(digits.count)
        return number
    }
}
