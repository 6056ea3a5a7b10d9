// The expressions of a template, by precedence.

extension Parser {
    typealias Kind = Expression.Kind

    /// One expression, or several with commas: a tuple.
    mutating func tuple(allowsCondition: Bool = true, ends: Set<String> = [], isInParentheses: Bool = false)
        throws
        -> Expression
    {
        let start = position
        var elements: [Expression] = []
        var isTuple = false
        while true {
            if !elements.isEmpty { try expect(",") }
            if isTupleEnd(ends) { break }
            elements.append(allowsCondition ? try expression() : try disjunction())
            guard isSymbol(",") else { break }
            isTuple = true
        }
        if !isTuple {
            if let only = elements.first { return only }
            guard isInParentheses else { throw unexpected("an expression") }
        }
        return Expression(kind: .tuple(elements), position: start)
    }

    private func isTupleEnd(_ ends: Set<String>) -> Bool {
        switch current.kind {
        case .variableEnd, .blockEnd: true
        case .symbol(")"): true
        case .name(let name): ends.contains(name)
        default: false
        }
    }

    mutating func expression() throws -> Expression {
        let outer = depth
        defer { depth = outer }
        try deepen()
        let outerUnknown = unknown.count
        var value = try disjunction()
        while true {
            let start = position
            guard skip(name: "if") else { return value }
            defer { unknown.removeLast(unknown.count - outerUnknown) }
            try deepen()
            let test = try disjunction()
            let otherwise = skip(name: "else") ? try expression() : nil
            value = Expression(kind: .conditional(test: test, value, otherwise: otherwise), position: start)
        }
    }

    /// A chain of one level of operators that group from the left.
    private mutating func chain(
        _ operand: (inout Parser) throws -> Expression, _ combine: (inout Parser, Expression) throws -> Kind?
    ) throws -> Expression {
        let outer = depth
        defer { depth = outer }
        var value = try operand(&self)
        while true {
            let start = position
            guard let kind = try combine(&self, value) else { return value }
            try deepen()
            value = Expression(kind: kind, position: start)
        }
    }

    private mutating func disjunction() throws -> Expression {
        try chain({ try $0.conjunction() }) { $0.skip(name: "or") ? .or($1, try $0.conjunction()) : nil }
    }

    private mutating func conjunction() throws -> Expression {
        try chain({ try $0.negation() }) { $0.skip(name: "and") ? .and($1, try $0.negation()) : nil }
    }

    private mutating func negation() throws -> Expression {
        let start = position
        guard skip(name: "not") else { return try comparison() }
        let outer = depth
        defer { depth = outer }
        try deepen()
        return Expression(kind: .not(try negation()), position: start)
    }

    private mutating func comparison() throws -> Expression {
        let start = position
        let first = try sum()
        var rest: [(ComparisonOperator, Expression)] = []
        while let comparison = comparisonOperator() { rest.append((comparison, try sum())) }
        return rest.isEmpty ? first : Expression(kind: .comparison(first, rest), position: start)
    }

    private mutating func comparisonOperator() -> ComparisonOperator? {
        switch current.kind {
        case .symbol(let symbol):
            guard let comparison = ComparisonOperator(rawValue: symbol) else { return nil }
            advance()
            return comparison
        case .name("in"):
            advance()
            return .isIn
        case .name("not"):
            guard tokens[index + 1].kind == .name("in") else { return nil }
            advance()
            advance()
            return .isNotIn
        default: return nil
        }
    }

    private mutating func arithmeticOperator(_ choices: [ArithmeticOperator]) -> ArithmeticOperator? {
        guard case .symbol(let symbol) = current.kind, let operation = ArithmeticOperator(rawValue: symbol),
            choices.contains(operation)
        else { return nil }
        advance()
        return operation
    }

    private mutating func sum() throws -> Expression {
        try chain({ try $0.concatenation() }) { parser, left in
            guard let operation = parser.arithmeticOperator([.add, .subtract]) else { return nil }
            return .arithmetic(operation, left, try parser.concatenation())
        }
    }

    private mutating func concatenation() throws -> Expression {
        let start = position
        var parts = [try product()]
        while skip(symbol: "~") { parts.append(try product()) }
        return parts.count == 1 ? parts[0] : Expression(kind: .concatenation(parts), position: start)
    }

    private mutating func product() throws -> Expression {
        try chain({ try $0.power() }) { parser, left in
            guard let operation = parser.arithmeticOperator([.multiply, .divide, .floorDivide, .remainder]) else {
                return nil
            }
            return .arithmetic(operation, left, try parser.power())
        }
    }

    private mutating func power() throws -> Expression {
        try chain({ try $0.unary() }) { parser, left in
            guard let operation = parser.arithmeticOperator([.power]) else { return nil }
            return .arithmetic(operation, left, try parser.unary())
        }
    }

    private mutating func unary(allowsFilters: Bool = true) throws -> Expression {
        let outer = depth
        defer { depth = outer }
        try deepen()
        let start = position
        var value: Expression
        if skip(symbol: "-") {
            value = Expression(kind: .negative(try unary(allowsFilters: false)), position: start)
        } else if skip(symbol: "+") {
            value = Expression(kind: .positive(try unary(allowsFilters: false)), position: start)
        } else {
            value = try primary()
        }
        value = try postfix(value)
        return allowsFilters ? try filtersAndTests(value) : value
    }

    private mutating func primary() throws -> Expression {
        let start = position
        let kind: Kind
        switch current.kind {
        case .name(let name):
            advance()
            switch name {
            case "true", "True": kind = .bool(true)
            case "false", "False": kind = .bool(false)
            case "none", "None": kind = .none
            default:
                names.insert(name)
                kind = .name(name)
            }
        case .string(var text):
            advance()
            while case .string(let more) = current.kind {
                text += more
                advance()
            }
            kind = .string(text)
        case .integer(let value):
            advance()
            kind = .integer(value)
        case .float(let value):
            advance()
            kind = .float(value)
        case .symbol("("):
            advance()
            let inner = try tuple(isInParentheses: true)
            try expect(")")
            return inner
        case .symbol("["):
            advance()
            kind = .list(try elements(closing: "]") { try $0.expression() })
        case .symbol("{"):
            advance()
            kind = .dictionary(
                try elements(closing: "}") { parser in
                    let key = try parser.expression()
                    try parser.expect(":")
                    return (key, try parser.expression())
                })
        default: throw unexpected("an expression")
        }
        return Expression(kind: kind, position: start)
    }

    mutating func elements<Element>(
        closing: String, _ element: (inout Parser) throws -> Element
    ) throws -> [Element] {
        var elements: [Element] = []
        while !isSymbol(closing) {
            if !elements.isEmpty { try expect(",") }
            if isSymbol(closing) { break }
            elements.append(try element(&self))
        }
        try expect(closing)
        return elements
    }

    private mutating func postfix(_ value: Expression) throws -> Expression {
        try chain({ _ in value }) { parser, value in
            if parser.isSymbol("(") { return .call(value, try parser.callArguments()) }
            return try parser.subscripted(value)
        }
    }

    private mutating func filtersAndTests(_ value: Expression) throws -> Expression {
        try chain({ _ in value }) { parser, value in
            if parser.skip(symbol: "|") { return try parser.filter(value) }
            if parser.skip(name: "is") { return try parser.test(value) }
            return parser.isSymbol("(") ? .call(value, try parser.callArguments()) : nil
        }
    }

    private mutating func subscripted(_ value: Expression) throws -> Kind? {
        if skip(symbol: ".") {
            switch current.kind {
            case .name(let name):
                advance()
                return .attribute(value, name)
            case .integer(let index):
                let start = position
                advance()
                return .item(value, Expression(kind: .integer(index), position: start))
            default: throw unexpected("an attribute's name or an index")
            }
        }
        let start = position
        guard skip(symbol: "[") else { return nil }
        let first: Expression? = isSymbol(":") ? nil : try expression()
        guard isSymbol(":") else {
            guard var index = first else { throw unexpected("an index") }
            if isSymbol(",") {
                var indices = [index]
                while skip(symbol: ",") { indices.append(try expression()) }
                index = Expression(kind: .tuple(indices), position: start)
            }
            try expect("]")
            return .item(value, index)
        }
        var bounds: [Expression?] = [first, nil, nil]
        for bound in 1...2 where skip(symbol: ":") {
            bounds[bound] = isSymbol(":") || isSymbol("]") ? nil : try expression()
        }
        try expect("]")
        return .slice(value, start: bounds[0], stop: bounds[1], step: bounds[2])
    }

    private mutating func dottedName() throws -> String {
        var name = try identifier()
        while skip(symbol: ".") { name += "." + (try identifier()) }
        return name
    }

    mutating func filter(_ value: Expression?) throws -> Kind {
        let start = position
        let name = try dottedName()
        if Filters.all[name] == nil { note(unknown: "filter", name, at: start) }
        return .filter(value, name, isSymbol("(") ? try callArguments() : CallArguments())
    }

    /// The filters of a block, with or without a leading bar, applied from the left to the block's text.
    mutating func filterChain() throws -> Expression {
        _ = skip(symbol: "|")
        let start = position
        let first = Expression(kind: try filter(nil), position: start)
        return try chain({ _ in first }) { $0.skip(symbol: "|") ? try $0.filter($1) : nil }
    }

    mutating func test(_ value: Expression) throws -> Kind {
        let start = position
        let isNegated = skip(name: "not")
        let name = try dottedName()
        if Tests.all[name] == nil { note(unknown: "test", name, at: start) }
        var arguments = CallArguments()
        if isSymbol("(") {
            arguments = try callArguments()
        } else if takesTestArgument {
            guard !isName("is") else { throw syntax("tests can't be chained with 'is'") }
            arguments.positional = [try postfix(try primary())]
        }
        let test = Kind.test(value, name, arguments)
        return isNegated ? .not(Expression(kind: test, position: start)) : test
    }

    private mutating func note(unknown kind: String, _ name: String, at position: Position) {
        if !isConditional { unknown.append(syntax("unknown \(kind) '\(name)'", at: position)) }
    }

    private var takesTestArgument: Bool {
        switch current.kind {
        case .name(let name): !["else", "or", "and"].contains(name)
        case .string, .integer, .float, .symbol("["), .symbol("{"): true
        default: false
        }
    }

    private mutating func callArguments() throws -> CallArguments {
        try expect("(")
        var arguments = CallArguments()
        var isFirst = true
        while !isSymbol(")") {
            if !isFirst {
                try expect(",")
                if isSymbol(")") { break }
            }
            isFirst = false
            if skip(symbol: "*") {
                guard arguments.unpacked == nil else { throw syntax("more than one '*' argument") }
                arguments.unpacked = try expression()
            } else if skip(symbol: "**") {
                guard arguments.unpackedNamed == nil else { throw syntax("more than one '**' argument") }
                arguments.unpackedNamed = try expression()
            } else if case .name(let name) = current.kind, tokens[index + 1].kind == .symbol("=") {
                advance()
                advance()
                arguments.named.append((name, try expression()))
            } else {
                guard arguments.named.isEmpty, arguments.unpackedNamed == nil else {
                    throw syntax("an argument without a name after one with a name")
                }
                arguments.positional.append(try expression())
            }
        }
        advance()
        return arguments
    }
}
