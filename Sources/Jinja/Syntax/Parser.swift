/// Reads statements and expressions by Jinja's grammar.
struct Parser {
    /// Of expressions and statements within each other; chains of operators count too, for they become nested.
    private static let maximumDepth = 200

    private let tokens: [Token]
    private var index = 0
    private var depth = 0
    /// Names met so far, to know which of the special variables a macro's body uses.
    private var names: Set<String> = []
    /// Loops around this place within the same macro or call: what `break` and `continue` can leave.
    private var loopDepth = 0
    /// All loops around this place.
    private var allLoops = 0
    /// Whether this place stands directly in an `if`. Only there, and in a conditional expression, does Jinja let an unknown
    /// filter or test pass until it is used.
    private var isConditional = false
    /// Unknown filters and tests of the statement being read.
    private var unknown: [JinjaFailure] = []

    /// - Throws: `JinjaFailure` (syntax, limit).
    static func statements(of template: String) throws -> [Statement] {
        var parser = Parser(tokens: try Lexer.tokens(of: template))
        return try parser.body(until: [])
    }

    private init(tokens: [Token]) {
        self.tokens = tokens
    }

    // MARK: Tokens

    private var current: Token { tokens[index] }
    private var position: Position { current.position }

    private mutating func advance() {
        if index + 1 < tokens.count { index += 1 }
    }

    private func isSymbol(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }
    private func isName(_ name: String) -> Bool { current.kind == .name(name) }

    private mutating func skip(symbol: String) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }

    private mutating func skip(name: String) -> Bool {
        guard isName(name) else { return false }
        advance()
        return true
    }

    private mutating func expect(_ symbol: String) throws {
        guard skip(symbol: symbol) else { throw unexpected("'\(symbol)'") }
    }

    private mutating func expectEnd(_ kind: Token.Kind = .blockEnd) throws {
        guard current.kind == kind else { throw unexpected(kind == .blockEnd ? "'%}'" : "'}}'") }
        advance()
    }

    private mutating func identifier() throws -> String {
        guard case .name(let name) = current.kind else { throw unexpected("a name") }
        advance()
        return name
    }

    private func unexpected(_ expected: String) -> JinjaFailure {
        syntax("expected \(expected), found \(current.summary)")
    }

    private func syntax(_ message: String, at position: Position? = nil) -> JinjaFailure {
        JinjaFailure(message, kind: .syntax, at: position ?? current.position)
    }

    private mutating func deepen() throws {
        depth += 1
        guard depth <= Self.maximumDepth else {
            throw JinjaFailure("nested deeper than \(Self.maximumDepth) levels", kind: .limit, at: position)
        }
    }
}

// MARK: - Statements

extension Parser {
    /// Reads up to a block tag named in `ends` and leaves the parser after that name; nil `ends` means the whole template.
    private mutating func body(until ends: Set<String>) throws -> [Statement] {
        let outer = depth
        defer { depth = outer }
        try deepen()
        let start = position
        var statements: [Statement] = []
        while true {
            let position = position
            switch current.kind {
            case .text(let text):
                advance()
                statements.append(Statement(kind: .text(text), position: position))
            case .variableBegin:
                advance()
                let value = try tuple()
                try expectEnd(.variableEnd)
                try checkNames()
                statements.append(Statement(kind: .output(value), position: position))
            case .blockBegin:
                guard case .name(let name) = tokens[index + 1].kind else {
                    advance()
                    throw unexpected("a tag's name")
                }
                if ends.contains(name) {
                    advance()
                    return statements
                }
                advance()
                statements.append(Statement(kind: try statement(name), position: position))
            default:
                guard ends.isEmpty else {
                    let end = ends.sorted().joined(separator: "' or '")
                    throw syntax("the block is not closed; '\(end)' is missing", at: start)
                }
                return statements
            }
        }
    }

    /// Refuses names of filters and tests that there are not, at the end of the expressions of a tag.
    private mutating func checkNames() throws {
        if let failure = unknown.first { throw failure }
    }

    /// A body within a tag other than `if`.
    private mutating func unconditional<Result>(_ read: (inout Parser) throws -> Result) throws -> Result {
        let outer = isConditional
        defer { isConditional = outer }
        isConditional = false
        return try read(&self)
    }

    /// Reads a body up to `end` and passes its tag.
    private mutating func closedBody(_ end: String) throws -> [Statement] {
        try expectEnd()
        try checkNames()
        let statements = try unconditional { try $0.body(until: [end]) }
        advance()
        try expectEnd()
        return statements
    }

    private mutating func statement(_ name: String) throws -> Statement.Kind {
        let position = position
        advance()
        switch name {
        case "if": return try condition()
        case "for": return try loop()
        case "set": return try set()
        case "macro":
            let name = try identifier()
            return .macro(try macro(name, parameters: try parameters(), end: "endmacro"))
        case "call":
            let parameters = isSymbol("(") ? try parameters() : []
            let call = try expression()
            guard case .call = call.kind else { throw syntax("expected a call", at: call.position) }
            return .call(call, caller: try macro("caller", parameters: parameters, end: "endcall"))
        case "filter":
            let filter = try filterChain()
            return .filter(filter, body: try closedBody("endfilter"))
        case "with": return try with()
        case "generation":
            // A macro's body in transformers' engine, so loops can't be left from within.
            let outer = loopDepth
            defer { loopDepth = outer }
            loopDepth = 0
            return .scope(try closedBody("endgeneration"))
        case "break", "continue":
            guard loopDepth > 0 else { throw syntax("'\(name)' outside a loop", at: position) }
            try expectEnd()
            return name == "break" ? .leaveLoop : .nextRound
        case "include", "import", "from", "extends", "block":
            throw syntax("'\(name)' is not supported: a chat template is a single file", at: position)
        default:
            throw syntax("unknown tag '\(name)'", at: position)
        }
    }

    private mutating func condition() throws -> Statement.Kind {
        var branches: [(test: Expression, body: [Statement])] = []
        let outer = isConditional
        defer { isConditional = outer }
        isConditional = true
        while true {
            let test = try tuple(allowsCondition: false)
            try expectEnd()
            branches.append((test, try body(until: ["elif", "else", "endif"])))
            let end = try identifier()
            if end == "elif" { continue }
            try expectEnd()
            guard end == "else" else { return .condition(branches, otherwise: []) }
            let otherwise = try body(until: ["endif"])
            advance()
            try expectEnd()
            return .condition(branches, otherwise: otherwise)
        }
    }

    private mutating func loop() throws -> Statement.Kind {
        allLoops += 1
        defer { allLoops -= 1 }
        let target = try target(allowsNamespace: false)
        guard skip(name: "in") else { throw unexpected("'in'") }
        let elements = try tuple(allowsCondition: false, ends: ["recursive"])
        let filter = skip(name: "if") ? try expression() : nil
        let isRecursive = skip(name: "recursive")
        try expectEnd()
        try checkNames()
        loopDepth += 1
        let body = try unconditional { try $0.body(until: ["endfor", "else"]) }
        loopDepth -= 1
        var otherwise: [Statement] = []
        if try identifier() == "else" {
            try expectEnd()
            otherwise = try unconditional { try $0.body(until: ["endfor"]) }
            advance()
        }
        try expectEnd()
        return .loop(
            Statement.Loop(
                target: target, elements: elements, filter: filter, isRecursive: isRecursive, body: body,
                otherwise: otherwise))
    }

    private mutating func set() throws -> Statement.Kind {
        let target = try target(allowsNamespace: true)
        if skip(symbol: "=") {
            let value = try tuple()
            try expectEnd()
            try checkNames()
            return .set(target, value)
        }
        let filter = isSymbol("|") ? try filterChain() : nil
        return .setBlock(target, filter: filter, body: try closedBody("endset"))
    }

    private mutating func with() throws -> Statement.Kind {
        var values: [(target: Statement.Target, value: Expression)] = []
        while current.kind != .blockEnd {
            if !values.isEmpty { try expect(",") }
            let target = try target(allowsNamespace: false)
            try expect("=")
            values.append((target, try expression()))
        }
        return .with(values, body: try closedBody("endwith"))
    }

    private mutating func parameters() throws -> [(name: String, fallback: Expression?)] {
        try expect("(")
        var parameters: [(name: String, fallback: Expression?)] = []
        while !isSymbol(")") {
            if !parameters.isEmpty { try expect(",") }
            let start = position
            let name = try identifier()
            if skip(symbol: "=") {
                parameters.append((name, try expression()))
            } else {
                guard parameters.last?.fallback == nil else {
                    throw syntax("the parameter '\(name)' needs a default, as the one before it has", at: start)
                }
                parameters.append((name, nil))
            }
        }
        advance()
        return parameters
    }

    private mutating func macro(
        _ name: String, parameters: [(name: String, fallback: Expression?)], end: String
    ) throws -> Statement.Macro {
        let outer = (names, loopDepth)
        names = []
        loopDepth = 0
        let body = try closedBody(end)
        let used = names
        names = outer.0.union(used)
        loopDepth = outer.1
        return Statement.Macro(
            name: name, parameters: parameters, body: body, takesVarargs: used.contains("varargs"),
            takesKwargs: used.contains("kwargs"), takesCaller: used.contains("caller"))
    }

    private mutating func target(allowsNamespace: Bool) throws -> Statement.Target {
        var targets: [Statement.Target] = []
        var isSeveral = false
        while true {
            if case .blockEnd = current.kind { break }
            if isName("in") || isSymbol("=") || isSymbol(")") { break }
            targets.append(try oneTarget(allowsNamespace: allowsNamespace))
            guard skip(symbol: ",") else { break }
            isSeveral = true
        }
        guard let first = targets.first else { throw unexpected("a name") }
        return isSeveral ? .several(targets) : first
    }

    private mutating func oneTarget(allowsNamespace: Bool) throws -> Statement.Target {
        let outer = depth
        defer { depth = outer }
        try deepen()
        if skip(symbol: "(") {
            let inner = try target(allowsNamespace: allowsNamespace)
            try expect(")")
            return inner
        }
        let start = position
        let name = try identifier()
        guard !["true", "false", "none", "True", "False", "None"].contains(name) else {
            throw syntax("can't assign to '\(name)'", at: start)
        }
        guard name != "loop" || allLoops == 0 || (allowsNamespace && isSymbol(".")) else {
            throw syntax("can't assign to 'loop' in a loop", at: start)
        }
        if allowsNamespace, skip(symbol: ".") {
            names.insert(name)
            return .attribute(of: name, try identifier())
        }
        return .name(name)
    }
}

// MARK: - Expressions

extension Parser {
    private typealias Kind = Expression.Kind

    /// One expression, or several with commas: a tuple.
    private mutating func tuple(allowsCondition: Bool = true, ends: Set<String> = [], isInParentheses: Bool = false)
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

    private mutating func expression() throws -> Expression {
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

    private mutating func elements<Element>(
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

    private mutating func filter(_ value: Expression?) throws -> Kind {
        let start = position
        let name = try dottedName()
        if Filters.all[name] == nil { note(unknown: "filter", name, at: start) }
        return .filter(value, name, isSymbol("(") ? try callArguments() : CallArguments())
    }

    /// The filters of a block, with or without a leading bar, applied from the left to the block's text.
    private mutating func filterChain() throws -> Expression {
        _ = skip(symbol: "|")
        let start = position
        let first = Expression(kind: try filter(nil), position: start)
        return try chain({ _ in first }) { $0.skip(symbol: "|") ? try $0.filter($1) : nil }
    }

    private mutating func test(_ value: Expression) throws -> Kind {
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
