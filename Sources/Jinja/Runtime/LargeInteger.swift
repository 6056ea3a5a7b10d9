/// An integer beyond 64 bits, such as a limit in a tool's schema: exact where it is printed and compared. Arithmetic on
/// integers ends at 64 bits.
struct LargeInteger: Hashable, Comparable, CustomStringConvertible {
    let isNegative: Bool
    /// Decimal digits, the first one not zero; beyond what an `Int` holds.
    let digits: String

    /// - Parameter text: decimal digits without leading zeros, after a minus sign for a negative number; nil is given for what
    ///   an `Int` holds.
    init?(_ text: String) {
        guard Int(text) == nil else { return nil }
        isNegative = text.hasPrefix("-")
        digits = isNegative ? String(text.dropFirst()) : text
    }

    /// Nil for a number with a fraction, one that an `Int` holds, and one that is not finite.
    init?(exactly number: Double) {
        guard number.isFinite, number == number.rounded(), Int(exactly: number) == nil else { return nil }
        self.init(PythonText.formatted(number, "f", precision: 0))
    }

    var description: String { (isNegative ? "-" : "") + digits }

    /// The nearest number; infinite where there is none.
    var double: Double { Double(description) ?? (isNegative ? -.infinity : .infinity) }

    /// The number with the other sign, which an `Int` may hold.
    var negated: Value {
        let text = (isNegative ? "" : "-") + digits
        return Int(text).map(Value.int) ?? LargeInteger(text).map(Value.large) ?? .large(self)
    }

    static func < (left: LargeInteger, right: LargeInteger) -> Bool {
        if left.isNegative != right.isNegative { return left.isNegative }
        let isLessInSize =
            left.digits.utf8.count != right.digits.utf8.count
            ? left.digits.utf8.count < right.digits.utf8.count
            : left.digits.utf8.lexicographicallyPrecedes(right.digits.utf8)
        return left.isNegative ? left != right && !isLessInSize : isLessInSize
    }
}

extension Value {
    /// Whether one number is less than another, where one of them is an integer beyond 64 bits; nil where none is, or one
    /// is no number.
    func isLessAsLarge(than other: Value) -> Bool? {
        switch (self, other) {
        case (.large(let left), .large(let right)): left < right
        case (.large(let left), _) where other.integer != nil: left.isNegative
        case (_, .large(let right)) where integer != nil: !right.isNegative
        case (.large(let left), .double(let right)):
            LargeInteger(exactly: right).map { left < $0 } ?? (right.isFinite ? left.isNegative : right > 0)
        case (.double(let left), .large(let right)):
            LargeInteger(exactly: left).map { $0 < right } ?? (left.isFinite ? !right.isNegative : left < 0)
        default: nil
        }
    }
}
