/// Reads LaTeX's mathematics as the parser does that the paper's evaluation uses (latex2sympy2_extended, with its readings of what
/// is ambiguous): `2\frac{1}{2}` is two and a half, `6/2x` is divided by both, `(1,2)` an open interval, `1,2` a set.
struct LaTeXParser {
    var tokens: [LaTeXToken]
    var position = 0
    var depth = 0
    /// Bars that are open: the next one may close.
    var bars = 0
    /// Put behind the name of each variable.
    let mark: String

    struct Unreadable: Error {}

    /// - Parameter isComplex: variables may be complex numbers, and are others than real ones of the same name.
    /// - Returns: nil for what can't be read.
    static func parse(_ text: String, isComplex: Bool) -> MathTerm? {
        // `1,234` alone is a number.
        let plain = text.filter { !$0.isWhitespace }
        let groups = plain.drop { $0 == "-" }.split(separator: ".", maxSplits: 1)
        if let whole = groups.first?.split(separator: ",", omittingEmptySubsequences: false), whole.count > 1,
            plain.count - plain.drop(while: { $0 == "-" }).count < 2, text.trimmed.filter(\.isWhitespace).isEmpty,
            (1...3).contains(whole[0].count), whole.dropFirst().allSatisfy({ $0.count == 3 }),
            groups.joined().allSatisfy({ $0 == "," || ("0"..."9").contains($0) })
        {
            return number(plain.filter { $0 != "," })
        }
        guard let tokens = LaTeXToken.all(in: text), tokens.count < 2000 else { return nil }
        var parser = LaTeXParser(tokens: tokens, mark: isComplex ? "~" : "")
        guard let term = try? parser.answer(), parser.position == tokens.count else { return nil }
        return term
    }

    init(tokens: [LaTeXToken], mark: String) {
        self.tokens = tokens
        self.mark = mark
    }

    static func number(_ text: String) -> MathTerm? {
        if text.contains(".") { return Double(text).map(MathTerm.decimal) }
        let isNegative = text.hasPrefix("-")
        let digits = String(text.drop { $0 == "-" }.drop { $0 == "0" })
        return .integer(digits.isEmpty ? "0" : (isNegative ? "-" : "") + digits)
    }

    // MARK: Tokens

    var next: LaTeXToken? { position < tokens.count ? tokens[position] : nil }

    mutating func take(mark: Character) -> Bool {
        guard next == .mark(mark) else { return false }
        position += 1
        return true
    }

    mutating func take(_ commands: String...) -> Bool {
        guard case .command(let name) = next, commands.contains(name) else { return false }
        position += 1
        return true
    }

    mutating func expect(_ taken: Bool) throws {
        guard taken else { throw Unreadable() }
    }

    /// Tries to read something, and goes back where that fails.
    mutating func attempt<Result>(_ read: (inout Self) throws -> Result) -> Result? {
        let before = self
        guard let result = try? read(&self) else {
            self = before
            return nil
        }
        return result
    }

    // MARK: Lists, relations and sets

    /// Everything: elements between semicolons and commas.
    mutating func answer() throws -> MathTerm {
        guard !tokens.isEmpty else { throw Unreadable() }
        let lists = try semicolons()
        if lists.count == 1, lists[0].count == 1 { return lists[0][0] }
        if lists.count == 1 { return .set(lists[0]) }
        return .set(lists.allSatisfy { $0.count == 1 } ? lists.flatMap { $0 } : lists.map(MathTerm.tuple))
    }

    mutating func semicolons() throws -> [[MathTerm]] {
        var lists = [try commas()]
        while take(mark: ";") { lists.append(try commas()) }
        return lists
    }

    mutating func commas() throws -> [MathTerm] {
        var terms = try element()
        while take(mark: ",") { terms += try element() }
        return terms
    }

    /// A term, or both of one with `\pm`.
    mutating func element() throws -> [MathTerm] {
        if let both = attempt({ try $0.plusMinus() }) { return both }
        return [try relation()]
    }

    mutating func plusMinus() throws -> [MathTerm] {
        if take("\\pm", "\\mp") || take(mark: "±") {
            let term = try sum()
            try expect(!isRelation)
            return [term.negated, term]
        }
        let left = try sum()
        try expect(take("\\pm", "\\mp") || take(mark: "±"))
        let right = try sum()
        try expect(!isRelation)
        return [.plus(left, right), .plus(left, right.negated)]
    }

    var isRelation: Bool {
        var copy = self
        return copy.comparison() != nil
    }

    mutating func comparison() -> MathTerm.Comparison? {
        if take(mark: "=") || take("\\equiv") { return .equal }
        if take(mark: "<") || take("\\lt") { return take(mark: "=") ? .lessOrEqual : .less }
        if take(mark: ">") || take("\\gt") { return take(mark: "=") ? .greaterOrEqual : .greater }
        if take("\\le", "\\leq", "\\leqslant") || take(mark: "≤") { return .lessOrEqual }
        if take("\\ge", "\\geq", "\\geqslant") || take(mark: "≥") { return .greaterOrEqual }
        if take("\\ne", "\\neq") || take(mark: "≠") { return .notEqual }
        return nil
    }

    mutating func relation() throws -> MathTerm {
        var left = try side()
        var relations: [MathTerm] = []
        while true {
            if take("\\approx") {
                // The exact side counts, of a variable its value.
                let right = try side()
                if left.isOnlySymbols { left = right }
                continue
            }
            // What a variable is in stands for what it is.
            guard let comparison = take("\\in") || take(mark: "∈") ? .equal : comparison() else { break }
            // A variable that is plus or minus something is either.
            let right = try attempt { parser in MathTerm.set(try parser.plusMinus()) } ?? side()
            relations.append(.relation(comparison, left, right))
            left = right
        }
        if relations.isEmpty { return left }
        return relations.count == 1 ? relations[0] : .chain(relations)
    }

    /// A term, or sets that are joined.
    mutating func side() throws -> MathTerm {
        var left = try setOrSum()
        while true {
            let operation: MathTerm.SetOperation
            if take("\\cup") || take(mark: "∪") {
                operation = .union
            } else if take("\\cap") || take(mark: "∩") {
                operation = .intersection
            } else if take("\\setminus", "\\backslash") {
                operation = .difference
            } else {
                return left
            }
            try expect(left.isSet)
            let right = try setOrSum()
            try expect(right.isSet)
            func asSet(_ term: MathTerm) -> MathTerm {
                if case .tuple(let terms) = term { return .set(terms) }
                return term
            }
            left = .setOperation(operation, asSet(left), asSet(right))
        }
    }

    mutating func setOrSum() throws -> MathTerm {
        if let set = attempt({ try $0.set() }) { return set }
        return try sum()
    }

    /// A tuple, interval, list in braces or named set that stands alone.
    mutating func set() throws -> MathTerm {
        let set = try bracketed()
        switch next {
        case nil, .mark(","), .mark(";"), .mark("="), .mark(")"), .mark("]"), .mark("}"), .mark("∪"), .mark("∩"):
            return set
        case .command(let name) where ["\\cup", "\\cap", "\\setminus", "\\backslash", "\\}", "\\rbrace"].contains(name):
            return set
        default: throw Unreadable()
        }
    }

    mutating func bracketed() throws -> MathTerm {
        if take("\\emptyset") { return .named("empty") }
        if take("\\mathbb") {
            try expect(take(mark: "{"))
            guard case .letter(let letter) = next, "RQZNC".contains(letter) else { throw Unreadable() }
            position += 1
            try expect(take(mark: "}"))
            return .named(String(letter))
        }
        let isBrace = take("\\{", "\\lbrace")
        if isBrace, take("\\}", "\\rbrace") { return .named("empty") }
        if isBrace || take(mark: "{") {
            let terms = try semicolons().flatMap { $0 }
            try expect(isBrace ? take("\\}", "\\rbrace") : take(mark: "}"))
            return .set(terms)
        }
        let isOpen = next == .mark("(")
        guard take(mark: "(") || take(mark: "[") else { throw Unreadable() }
        let lists = try semicolons()
        let endsOpen = next == .mark(")")
        guard take(mark: ")") || take(mark: "]") else { throw Unreadable() }
        let terms = lists.flatMap { $0 }
        guard terms.count > 1 else { throw Unreadable() }
        if terms.count == 2, lists.count == 1 {
            // Of what can't be an interval, a tuple is meant.
            let isPlain = terms.allSatisfy { !$0.isSet && $0.isTerm }
            var isEmpty = false
            if let start = terms[0].value()?.real, let end = terms[1].value()?.real {
                isEmpty = isOpen && endsOpen ? end <= start : !isOpen && !endsOpen && end < start
            }
            if isPlain, !isEmpty { return .interval(terms[0], terms[1], isOpen: (isOpen, endsOpen)) }
        }
        try expect(isOpen == endsOpen)
        return .tuple(terms)
    }
}
