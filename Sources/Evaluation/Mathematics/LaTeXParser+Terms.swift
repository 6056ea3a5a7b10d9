/// Sums, products, powers and what they are made of.
extension LaTeXParser {
    mutating func sum() throws -> MathTerm {
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

    mutating func product() throws -> MathTerm {
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

    mutating func unary() throws -> MathTerm {
        if take(mark: "+") { return try unary() }
        if take(mark: "-") { return try unary().negated }
        return try factors()
    }

    /// Factors without a sign between them.
    mutating func factors() throws -> MathTerm {
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

    var canBegin: Bool {
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

    mutating func postfix() throws -> MathTerm {
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

    var isDegree: Bool {
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

    mutating func power() throws -> MathTerm {
        var term = try atom()
        while next == .mark("^"), !isDegree {
            position += 1
            term = .power(term, try argument())
        }
        return term
    }

    /// What a raised or lowered sign applies to: braces, or a single atom.
    mutating func argument() throws -> MathTerm {
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

    mutating func group(_ close: Character) throws -> MathTerm {
        let outer = bars
        bars = 0
        defer { bars = outer }
        let term = try sum()
        try expect(take(mark: close))
        return term
    }

    mutating func atom() throws -> MathTerm {
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

    mutating func closed() throws -> MathTerm {
        let term = try sum()
        try expect(take(mark: "|") || take("\\rvert", "\\vert"))
        return term
    }

    mutating func chosen() throws -> MathTerm {
        let top = try sum()
        try expect(take("\\choose"))
        let bottom = try sum()
        try expect(take(mark: "}"))
        return .function("binomial", [top, bottom])
    }

    /// Lowered signs, as text; empty where there are none.
    mutating func subscripted() throws -> String {
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
    mutating func symbol(_ name: String) throws -> MathTerm {
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
    var isSimpleCall: Bool {
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
