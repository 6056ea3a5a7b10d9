// The statements of a template.

extension Parser {
    /// Reads up to a block tag named in `ends` and leaves the parser after that name; nil `ends` means the whole template.
    mutating func body(until ends: Set<String>) throws -> [Statement] {
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

    mutating func statement(_ name: String) throws -> Statement.Kind {
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

    mutating func with() throws -> Statement.Kind {
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

    mutating func macro(
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
