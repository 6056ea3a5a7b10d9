/// What begins with a backslash: fractions, roots, functions, matrices.
extension LaTeXParser {
    mutating func braces() throws -> MathTerm {
        try expect(take(mark: "{"))
        return try group("}")
    }

    mutating func command(_ name: String) throws -> MathTerm {
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
    mutating func function(_ name: String) throws -> MathTerm {
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

    mutating func argumentWithoutParentheses() throws -> MathTerm {
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

    mutating func matrix() throws -> MathTerm {
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

    static let functions: Set<String> = [
        "\\sin", "\\cos", "\\tan", "\\csc", "\\sec", "\\cot", "\\arcsin", "\\arccos", "\\arctan", "\\arccsc",
        "\\arcsec",
        "\\arccot", "\\sinh", "\\cosh", "\\tanh", "\\arcsinh", "\\arccosh", "\\arctanh", "\\log", "\\ln", "\\exp",
        "\\gcd",
        "\\lcm", "\\max", "\\min", "\\floor", "\\ceil",
    ]
    static let greek = Set(
        [
            "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta", "iota",
            "kappa",
            "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "varphi", "chi", "psi", "omega",
            "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
        ].map { "\\" + $0 })
    static let otherSymbols: Set<String> = ["\\angle", "\\triangle", "\\varnothing", "\\ell", "\\hbar"]
}
