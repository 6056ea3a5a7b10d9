/// Reads LaTeX's mathematics as the parser does that the paper's evaluation uses (latex2sympy2_extended, with its readings of what
/// is ambiguous): `2\frac{1}{2}` is two and a half, `6/2x` is divided by both, `(1,2)` an open interval, `1,2` a set.
struct LaTeXParser {
    private var tokens: [LaTeXToken]
    private var position = 0
    private var depth = 0
    /// Bars that are open: the next one may close.
    private var bars = 0
    /// Put behind the name of each variable.
    private let mark: String

    private struct Unreadable: Error {}

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

    private init(tokens: [LaTeXToken], mark: String) {
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

    private var next: LaTeXToken? { position < tokens.count ? tokens[position] : nil }

    private mutating func take(mark: Character) -> Bool {
        guard next == .mark(mark) else { return false }
        position += 1
        return true
    }

    private mutating func take(_ commands: String...) -> Bool {
        guard case .command(let name) = next, commands.contains(name) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ taken: Bool) throws {
        guard taken else { throw Unreadable() }
    }

    /// Tries to read something, and goes back where that fails.
    private mutating func attempt<Result>(_ read: (inout Self) throws -> Result) -> Result? {
        let before = self
        guard let result = try? read(&self) else {
            self = before
            return nil
        }
        return result
    }

    // MARK: Lists, relations and sets

    /// Everything: elements between semicolons and commas.
    private mutating func answer() throws -> MathTerm {
        guard !tokens.isEmpty else { throw Unreadable() }
        let lists = try semicolons()
        if lists.count == 1, lists[0].count == 1 { return lists[0][0] }
        if lists.count == 1 { return .set(lists[0]) }
        return .set(lists.allSatisfy { $0.count == 1 } ? lists.flatMap { $0 } : lists.map(MathTerm.tuple))
    }

    private mutating func semicolons() throws -> [[MathTerm]] {
        var lists = [try commas()]
        while take(mark: ";") { lists.append(try commas()) }
        return lists
    }

    private mutating func commas() throws -> [MathTerm] {
        var terms = try element()
        while take(mark: ",") { terms += try element() }
        return terms
    }

    /// A term, or both of one with `\pm`.
    private mutating func element() throws -> [MathTerm] {
        if let both = attempt({ try $0.plusMinus() }) { return both }
        return [try relation()]
    }

    private mutating func plusMinus() throws -> [MathTerm] {
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

    private var isRelation: Bool {
        var copy = self
        return copy.comparison() != nil
    }

    private mutating func comparison() -> MathTerm.Comparison? {
        if take(mark: "=") || take("\\equiv") { return .equal }
        if take(mark: "<") || take("\\lt") { return take(mark: "=") ? .lessOrEqual : .less }
        if take(mark: ">") || take("\\gt") { return take(mark: "=") ? .greaterOrEqual : .greater }
        if take("\\le", "\\leq", "\\leqslant") || take(mark: "≤") { return .lessOrEqual }
        if take("\\ge", "\\geq", "\\geqslant") || take(mark: "≥") { return .greaterOrEqual }
        if take("\\ne", "\\neq") || take(mark: "≠") { return .notEqual }
        return nil
    }

    private mutating func relation() throws -> MathTerm {
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
    private mutating func side() throws -> MathTerm {
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

    private mutating func setOrSum() throws -> MathTerm {
        if let set = attempt({ try $0.set() }) { return set }
        return try sum()
    }

    /// A tuple, interval, list in braces or named set that stands alone.
    private mutating func set() throws -> MathTerm {
        let set = try bracketed()
        switch next {
        case nil, .mark(","), .mark(";"), .mark("="), .mark(")"), .mark("]"), .mark("}"), .mark("∪"), .mark("∩"):
            return set
        case .command(let name) where ["\\cup", "\\cap", "\\setminus", "\\backslash", "\\}", "\\rbrace"].contains(name):
            return set
        default: throw Unreadable()
        }
    }

    private mutating func bracketed() throws -> MathTerm {
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

    // MARK: Terms

    private mutating func sum() throws -> MathTerm {
        depth += 1
        defer { depth -= 1 }
        guard depth < 100 else { throw Unreadable() }
        var left = try product()
        while true {
            if take(mark: "+") {
                left = .plus(left, try product())
            } else if take(mark: "-") {
                left = .plus(left, try product().negated)
            } else {
                return left
            }
        }
    }

    private mutating func product() throws -> MathTerm {
        var left = try unary()
        while true {
            if take(mark: "*") || take("\\times", "\\cdot") || take(mark: "×") || take(mark: "·") {
                left = .times(left, try unary())
            } else if take(mark: "/") || take("\\div") || take(mark: ":") || take(mark: "÷") {
                left = .quotient(left, try unary())
            } else if take("\\mod") {
                left = .function("mod", [left, try unary()])
            } else {
                return left
            }
        }
    }

    private mutating func unary() throws -> MathTerm {
        if take(mark: "+") { return try unary() }
        if take(mark: "-") { return try unary().negated }
        return try factors()
    }

    /// Factors without a sign between them.
    private mutating func factors() throws -> MathTerm {
        var terms = [try postfix()]
        while canBegin { terms.append(try postfix()) }
        // From the end, as the parser it follows does it: an integer before a fraction is a mixed number.
        return terms.dropLast().reversed().reduce(terms[terms.count - 1]) { right, left in
            if let whole = left.integerValue, let (top, bottom) = right.fraction, top > 0, abs(whole) < 1 << 31 {
                return .fraction(whole < 0 ? whole * bottom - top : whole * bottom + top, bottom)
            }
            return .times(left, right)
        }
    }

    private var canBegin: Bool {
        switch next {
        case .number, .letter, .named: return true
        case .mark("("), .mark("{"), .mark("["), .mark("π"), .mark("√"): return true
        case .mark("|"): return bars == 0
        case .command(let name):
            return Self.functions.contains(name) || Self.greek.contains(name) || Self.otherSymbols.contains(name)
                || [
                    "\\frac", "\\sqrt", "\\binom", "\\dbinom", "\\tbinom", "\\begin", "\\infty", "\\lfloor", "\\lceil",
                    "\\lvert", "\\vert", "\\operatorname",
                ].contains(name)
        default: return false
        }
    }

    private mutating func postfix() throws -> MathTerm {
        var term = try power()
        while true {
            if take(mark: "!") {
                term = .function("factorial", [term])
            } else if isDegree {
                // Degrees are not converted.
                position += next == .mark("°") ? 1 : tokens[position + 1] == .mark("{") ? 4 : 2
            } else if take(mark: "%") || take("\\%") {
                guard term.isNumber else { throw Unreadable() }
                term = .percent(term)
            } else if take(mark: "'") {
                continue
            } else {
                return term
            }
        }
    }

    private var isDegree: Bool {
        if next == .mark("°") { return true }
        guard next == .mark("^"), position + 1 < tokens.count else { return false }
        func isSign(_ index: Int) -> Bool {
            index < tokens.count
                && (tokens[index] == .command("\\circ") || tokens[index] == .command("\\degree")
                    || tokens[index] == .mark("°"))
        }
        return isSign(position + 1)
            || tokens[position + 1] == .mark("{") && isSign(position + 2) && position + 3 < tokens.count
                && tokens[position + 3] == .mark("}")
    }

    private mutating func power() throws -> MathTerm {
        var term = try atom()
        while next == .mark("^"), !isDegree {
            position += 1
            term = .power(term, try argument())
        }
        return term
    }

    /// What a raised or lowered sign applies to: braces, or a single atom.
    private mutating func argument() throws -> MathTerm {
        if take(mark: "{") {
            let term = try sum()
            try expect(take(mark: "}"))
            return term
        }
        switch next {
        case .number, .letter, .named, .mark("π"): return try atom()
        case .command(let name) where Self.greek.contains(name) || name == "\\infty": return try atom()
        default: throw Unreadable()
        }
    }

    private mutating func group(_ close: Character) throws -> MathTerm {
        let outer = bars
        bars = 0
        defer { bars = outer }
        let term = try sum()
        try expect(take(mark: close))
        return term
    }

    private mutating func atom() throws -> MathTerm {
        guard let token = next else { throw Unreadable() }
        position += 1
        switch token {
        case .number(let text):
            guard let number = Self.number(text) else { throw Unreadable() }
            // A base below a number is passed over.
            _ = try subscripted()
            return number
        case .letter("e"): return .constant(.e)
        case .letter("I"): return .constant(.imaginary)
        case .letter("π"), .mark("π"): return .constant(.pi)
        case .letter("d"):
            if case .letter(let letter) = next, letter.isASCII {
                position += 1
                return .symbol("d\(letter)".lowercased() + mark)
            }
            return try symbol("d")
        case .letter(let letter): return try symbol(String(letter))
        case .named(let name): return try symbol(name)
        case .mark("("): return try group(")")
        case .mark("["): return try group("]")
        case .mark("{"):
            if let choice = attempt({ try $0.chosen() }) { return choice }
            return try group("}")
        case .mark("|"), .command("\\lvert"), .command("\\vert"):
            bars += 1
            defer { bars -= 1 }
            let inner =
                try attempt { parser -> MathTerm in
                    // Bars within bars.
                    parser.bars = 0
                    let term = try parser.sum()
                    try parser.expect(parser.take(mark: "|") || parser.take("\\rvert", "\\vert"))
                    return term
                } ?? closed()
            return .function("abs", [inner])
        case .command(let name): return try command(name)
        case .mark: throw Unreadable()
        }
    }

    private mutating func closed() throws -> MathTerm {
        let term = try sum()
        try expect(take(mark: "|") || take("\\rvert", "\\vert"))
        return term
    }

    private mutating func chosen() throws -> MathTerm {
        let top = try sum()
        try expect(take("\\choose"))
        let bottom = try sum()
        try expect(take(mark: "}"))
        return .function("binomial", [top, bottom])
    }

    /// Lowered signs, as text; empty where there are none.
    private mutating func subscripted() throws -> String {
        guard take(mark: "_") else { return "" }
        let start = position
        if next == .mark("{") {
            var level = 0
            repeat {
                guard let token = next else { throw Unreadable() }
                if token == .mark("{") { level += 1 }
                if token == .mark("}") { level -= 1 }
                position += 1
            } while level > 0
        } else {
            try expect(next != nil)
            position += 1
        }
        let text = tokens[start..<position].map { "\($0)" }.joined()
        return "_" + (tokens[start] == .mark("{") ? tokens[start + 1..<position - 1].map { "\($0)" }.joined() : text)
    }

    /// A variable, or a function of simple arguments in parentheses.
    private mutating func symbol(_ name: String) throws -> MathTerm {
        var power: MathTerm?
        var name = name + (try subscripted())
        if next == .mark("^"), !isDegree,
            let raised = attempt({ parser -> MathTerm in
                parser.position += 1
                let exponent = try parser.argument()
                let below = try parser.subscripted()
                try parser.expect(!below.isEmpty || parser.isSimpleCall)
                name += below
                return exponent
            })
        {
            power = raised
        }
        while take(mark: "'") {}
        let base: MathTerm
        if isSimpleCall {
            position += 1
            var arguments: [MathTerm] = []
            repeat { arguments.append(try sum()) } while take(mark: ",")
            try expect(take(mark: ")"))
            // A function's name keeps its case.
            base = .function("\(name)()", arguments)
        } else {
            base = .symbol(name.lowercased() + mark)
        }
        return power.map { .power(base, $0) } ?? base
    }

    /// Whether parentheses follow that hold nothing but atoms between commas.
    private var isSimpleCall: Bool {
        guard next == .mark("(") else { return false }
        var index = position + 1
        while index + 1 < tokens.count {
            switch tokens[index] {
            case .number, .letter, .named: break
            case .command(let name) where Self.greek.contains(name): break
            default: return false
            }
            if tokens[index + 1] == .mark(")") { return true }
            guard tokens[index + 1] == .mark(",") else { return false }
            index += 2
        }
        return false
    }

    // MARK: Commands

    private mutating func braces() throws -> MathTerm {
        try expect(take(mark: "{"))
        return try group("}")
    }

    private mutating func command(_ name: String) throws -> MathTerm {
        switch name {
        case "\\pi": return try isSimpleCall ? symbol("pi") : .constant(.pi)
        case "\\infty": return .constant(.infinity)
        case "\\frac":
            let top = try braces()
            return .quotient(top, try braces())
        case "\\binom", "\\dbinom", "\\tbinom":
            let top = try braces()
            return .function("binomial", [top, try braces()])
        case "\\sqrt":
            var root: MathTerm = .rational(1, 2)
            if take(mark: "[") { root = .quotient(.integer(1), try group("]")) }
            return .power(try braces(), root)
        case "\\lfloor":
            let term = try sum()
            try expect(take("\\rfloor"))
            return .function("floor", [term])
        case "\\lceil":
            let term = try sum()
            try expect(take("\\rceil"))
            return .function("ceiling", [term])
        case "\\begin": return try matrix()
        case "\\operatorname":
            try expect(take(mark: "{"))
            var word = ""
            while case .letter(let letter) = next {
                word.append(letter)
                position += 1
            }
            try expect(take(mark: "}") && !word.isEmpty)
            return try function(["lcm", "gcd", "floor", "ceil"].contains(word) ? "\\\(word)" : "\\\(word)()")
        default:
            if Self.functions.contains(name) { return try function(name) }
            guard Self.greek.contains(name) || Self.otherSymbols.contains(name) else { throw Unreadable() }
            return try symbol(String(name.dropFirst()))
        }
    }

    /// A function of what stands in parentheses, or else of the factors up to the next sign.
    private mutating func function(_ name: String) throws -> MathTerm {
        var base: MathTerm = name == "\\ln" ? .constant(.e) : .integer(10)
        var power: MathTerm?
        for _ in 0..<2 {
            if take(mark: "_") { base = try argument() }
            if next == .mark("^") {
                position += 1
                power = try argument()
            }
        }
        var arguments: [MathTerm] = []
        if take(mark: "(") {
            let outer = bars
            bars = 0
            repeat { arguments.append(try sum()) } while take(mark: ",")
            try expect(take(mark: ")"))
            bars = outer
        } else if name == "\\exp", take(mark: "{") {
            arguments = [try group("}")]
        } else {
            arguments = [try argumentWithoutParentheses()]
        }
        var plain = String(name.dropFirst())
        if ["arcsin", "arccos", "arctan", "arccsc", "arcsec", "arccot", "arcsinh", "arccosh", "arctanh"].contains(plain)
        {
            plain = "a" + plain.dropFirst(3)
        }
        if power == .integer(-1), ["sin", "cos", "tan", "csc", "sec", "cot", "sinh", "cosh", "tanh"].contains(plain) {
            (plain, power) = ("a" + plain, nil)
        }
        if plain == "log" || plain == "ln" {
            arguments.append(base)
            plain = "log"
        }
        let term: MathTerm =
            plain == "exp" && arguments.count == 1
            ? .power(.constant(.e), arguments[0]) : .function(plain == "ceil" ? "ceiling" : plain, arguments)
        return power.map { .power(term, $0) } ?? term
    }

    private mutating func argumentWithoutParentheses() throws -> MathTerm {
        func isFunction(_ token: LaTeXToken?) -> Bool {
            if case .command(let name) = token { return Self.functions.contains(name) }
            return false
        }
        if take(mark: "-") { return try argumentWithoutParentheses().negated }
        var terms = [try postfix()]
        while canBegin, !isFunction(next) { terms.append(try postfix()) }
        var term = terms.dropFirst().reduce(terms[0]) { .times($0, $1) }
        while take(mark: "/") { term = .quotient(term, try postfix()) }
        return term
    }

    private mutating func matrix() throws -> MathTerm {
        func name(_ parser: inout Self) throws -> String {
            try parser.expect(parser.take(mark: "{"))
            var word = ""
            while case .letter(let letter) = parser.next {
                word.append(letter)
                parser.position += 1
            }
            try parser.expect(parser.take(mark: "}"))
            return word
        }
        let kind = try name(&self)
        guard ["matrix", "pmatrix", "bmatrix", "vmatrix", "array", "smallmatrix"].contains(kind) else {
            throw Unreadable()
        }
        if kind == "array", take(mark: "{") {
            while !take(mark: "}") {
                try expect(next != nil)
                position += 1
            }
        }
        var rows: [[MathTerm]] = [[]]
        while true {
            rows[rows.count - 1].append(try sum())
            if take(mark: "&") { continue }
            if take("\\\\") {
                if take("\\end") { break }
                rows.append([])
                continue
            }
            try expect(take("\\end"))
            break
        }
        try expect(try name(&self) == kind && rows.allSatisfy { $0.count == rows[0].count })
        return kind == "vmatrix" ? .function("det", [.matrix(rows)]) : .matrix(rows)
    }

    private static let functions: Set<String> = [
        "\\sin", "\\cos", "\\tan", "\\csc", "\\sec", "\\cot", "\\arcsin", "\\arccos", "\\arctan", "\\arccsc",
        "\\arcsec",
        "\\arccot", "\\sinh", "\\cosh", "\\tanh", "\\arcsinh", "\\arccosh", "\\arctanh", "\\log", "\\ln", "\\exp",
        "\\gcd",
        "\\lcm", "\\max", "\\min", "\\floor", "\\ceil",
    ]
    private static let greek = Set(
        [
            "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta", "iota",
            "kappa",
            "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "varphi", "chi", "psi", "omega",
            "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
        ].map { "\\" + $0 })
    private static let otherSymbols: Set<String> = ["\\angle", "\\triangle", "\\varnothing", "\\ell", "\\hbar"]
}

extension MathTerm {
    /// Numerator and denominator of an integer or a fraction.
    fileprivate var fraction: (Int, Int)? {
        switch self {
        case .integer: integerValue.flatMap { abs($0) < 1 << 31 ? ($0, 1) : nil }
        case .rational(let top, let bottom): abs(top) < 1 << 31 && bottom < 1 << 31 ? (top, bottom) : nil
        default: nil
        }
    }
}
