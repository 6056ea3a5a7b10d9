/// What an answer in mathematics says.
indirect enum MathTerm: Hashable {
    enum Comparison: Hashable {
        case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual

        /// The one that says the same with its sides swapped; nil where there is none.
        var swapped: Comparison? {
            switch self {
            case .equal: .equal
            case .notEqual: nil
            case .less: .greater
            case .lessOrEqual: .greaterOrEqual
            case .greater: .less
            case .greaterOrEqual: .lessOrEqual
            }
        }
    }

    enum Constant: Hashable { case pi, e, imaginary, infinity, gamma }
    enum SetOperation: Hashable { case union, intersection, difference }

    /// Digits, without zeros in front.
    case integer(String)
    /// In lowest terms, the denominator above 1.
    case rational(Int, Int)
    /// Written with a decimal point.
    case decimal(Double)
    case constant(Constant)
    case symbol(String)
    /// Hundredths.
    case percent(MathTerm)
    case sum([MathTerm])
    case product([MathTerm])
    case power(MathTerm, MathTerm)
    case function(String, [MathTerm])
    case matrix([[MathTerm]])
    case tuple([MathTerm])
    /// In the order in which it is written.
    case set([MathTerm])
    case interval(MathTerm, MathTerm, isOpen: (Bool, Bool))
    case setOperation(SetOperation, MathTerm, MathTerm)
    /// Such as the reals.
    case named(String)
    case relation(Comparison, MathTerm, MathTerm)
    /// Relations that all hold.
    case chain([MathTerm])
    /// Such as what is divided by zero.
    case undefined

    static func == (one: MathTerm, other: MathTerm) -> Bool { one.key == other.key }

    func hash(into hasher: inout Hasher) { hasher.combine(key) }

    /// A text that is the same for the same term, whatever the order of sums, products and sets.
    var key: String {
        func sorted(_ terms: [MathTerm]) -> String { terms.map(\.key).sorted().joined(separator: ",") }
        func listed(_ terms: [MathTerm]) -> String { terms.map(\.key).joined(separator: ",") }
        switch self {
        case .integer(let digits): return digits
        case .rational(let numerator, let denominator): return "\(numerator)/\(denominator)"
        case .decimal(let value): return "d\(value)"
        case .constant(let constant): return "c\(constant)"
        case .symbol(let name): return "s\(name)"
        case .percent(let term): return "%(\(term.key))"
        case .sum(let terms): return "+(\(sorted(terms)))"
        case .product(let terms): return "*(\(sorted(terms)))"
        case .power(let base, let exponent): return "^(\(base.key),\(exponent.key))"
        case .function(let name, let arguments): return "f\(name)(\(listed(arguments)))"
        case .matrix(let rows): return "m(\(rows.map(listed).joined(separator: ";")))"
        case .tuple(let terms): return "t(\(listed(terms)))"
        case .set(let terms): return "{\(Set(terms.map(\.key)).sorted().joined(separator: ","))}"
        case .interval(let start, let end, let isOpen): return "i\(isOpen.0)\(isOpen.1)(\(start.key),\(end.key))"
        case .setOperation(.difference, let one, let other): return "-(\(one.key),\(other.key))"
        case .setOperation(let operation, let one, let other): return "u\(operation)(\(sorted([one, other])))"
        case .named(let name): return "n\(name)"
        case .relation(let comparison, let one, let other): return "r\(comparison)(\(one.key),\(other.key))"
        case .chain(let terms): return "&(\(listed(terms)))"
        case .undefined: return "?"
        }
    }

    // MARK: Making

    static func integer(_ value: Int) -> MathTerm { .integer("\(value)") }

    /// The value of an integer that is not too long.
    var integerValue: Int? {
        if case .integer(let digits) = self { return Int(digits) }
        return nil
    }

    static func fraction(_ numerator: Int, _ denominator: Int) -> MathTerm {
        guard denominator != 0 else { return .undefined }
        var (a, b) = (numerator.magnitude, denominator.magnitude)
        while b != 0 { (a, b) = (b, a % b) }
        let divisor = Int(a == 0 ? 1 : a)
        let sign = denominator < 0 ? -1 : 1
        let (top, bottom) = (sign * numerator / divisor, sign * denominator / divisor)
        return bottom == 1 ? .integer(top) : .rational(top, bottom)
    }

    /// One term by another.
    static func quotient(_ one: MathTerm, _ other: MathTerm) -> MathTerm {
        if let top = one.integerValue, let bottom = other.integerValue, abs(top) < 1 << 53, abs(bottom) < 1 << 53 {
            return fraction(top, bottom)
        }
        return .product([one, .power(other, .integer(-1))])
    }

    var negated: MathTerm {
        switch self {
        case .integer("0"): self
        case .integer(let digits): .integer(digits.hasPrefix("-") ? String(digits.dropFirst()) : "-" + digits)
        case .rational(let numerator, let denominator): .rational(-numerator, denominator)
        case .decimal(let value): .decimal(-value)
        default: Self.times(.integer(-1), self)
        }
    }

    static func times(_ one: MathTerm, _ other: MathTerm) -> MathTerm { .product(one.factors + other.factors) }

    static func plus(_ one: MathTerm, _ other: MathTerm) -> MathTerm { .sum(one.summands + other.summands) }

    private var factors: [MathTerm] {
        if case .product(let terms) = self { return terms }
        return [self]
    }

    private var summands: [MathTerm] {
        if case .sum(let terms) = self { return terms }
        return [self]
    }

    // MARK: Kinds

    var isInteger: Bool {
        if case .integer = self { return true }
        return false
    }

    /// An integer, fraction or decimal.
    var isNumber: Bool {
        switch self {
        case .integer, .rational, .decimal, .constant(.infinity): true
        default: false
        }
    }

    var isDecimal: Bool {
        if case .decimal = self { return true }
        return false
    }

    /// What is in hundredths, or the term itself.
    var withoutPercent: MathTerm {
        if case .percent(let term) = self { return term }
        return self
    }

    var isSet: Bool {
        switch self {
        case .tuple, .set, .interval, .setOperation, .named: true
        default: false
        }
    }

    /// Neither a relation nor several.
    var isTerm: Bool {
        switch self {
        case .relation, .chain: false
        default: true
        }
    }

    /// Made of nothing but variables.
    var isOnlySymbols: Bool {
        switch self {
        case .symbol: true
        case .power(let base, .integer("-1")): base.isOnlySymbols
        case .power(let base, let exponent): base.isOnlySymbols && exponent.isOnlySymbols
        case .interval(let start, let end, (true, true)): start.isOnlySymbols && end.isOnlySymbols
        case .sum(let terms), .product(let terms), .tuple(let terms), .function(_, let terms):
            !terms.isEmpty && terms.allSatisfy(\.isOnlySymbols)
        default: false
        }
    }

    /// All variables in it.
    var symbols: Set<String> {
        switch self {
        case .symbol(let name): [name]
        case .percent(let term): term.symbols
        case .sum(let terms), .product(let terms), .tuple(let terms), .set(let terms), .chain(let terms),
            .function(_, let terms):
            terms.reduce(into: []) { $0.formUnion($1.symbols) }
        case .power(let one, let other), .setOperation(_, let one, let other), .relation(_, let one, let other),
            .interval(let one, let other, _):
            one.symbols.union(other.symbols)
        case .matrix(let rows): rows.joined().reduce(into: []) { $0.formUnion($1.symbols) }
        default: []
        }
    }
}
