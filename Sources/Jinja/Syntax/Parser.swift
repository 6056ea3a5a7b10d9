/// Reads statements and expressions by Jinja's grammar.
struct Parser {
    /// Of expressions and statements within each other; chains of operators count too, for they become nested.
    private static let maximumDepth = 200

    let tokens: [Token]
    var index = 0
    var depth = 0
    /// Names met so far, to know which of the special variables a macro's body uses.
    var names: Set<String> = []
    /// Loops around this place within the same macro or call: what `break` and `continue` can leave.
    var loopDepth = 0
    /// All loops around this place.
    var allLoops = 0
    /// Whether this place stands directly in an `if`. Only there, and in a conditional expression, does Jinja let an unknown
    /// filter or test pass until it is used.
    var isConditional = false
    /// Unknown filters and tests of the statement being read.
    var unknown: [JinjaFailure] = []

    /// - Throws: `JinjaFailure` (syntax, limit).
    static func statements(of template: String) throws -> [Statement] {
        var parser = Parser(tokens: try Lexer.tokens(of: template))
        return try parser.body(until: [])
    }

    private init(tokens: [Token]) {
        self.tokens = tokens
    }

    // MARK: Tokens

    var current: Token { tokens[index] }
    var position: Position { current.position }

    mutating func advance() {
        if index + 1 < tokens.count { index += 1 }
    }

    func isSymbol(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }
    func isName(_ name: String) -> Bool { current.kind == .name(name) }

    mutating func skip(symbol: String) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func skip(name: String) -> Bool {
        guard isName(name) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: String) throws {
        guard skip(symbol: symbol) else { throw unexpected("'\(symbol)'") }
    }

    mutating func expectEnd(_ kind: Token.Kind = .blockEnd) throws {
        guard current.kind == kind else { throw unexpected(kind == .blockEnd ? "'%}'" : "'}}'") }
        advance()
    }

    mutating func identifier() throws -> String {
        guard case .name(let name) = current.kind else { throw unexpected("a name") }
        advance()
        return name
    }

    func unexpected(_ expected: String) -> JinjaFailure {
        syntax("expected \(expected), found \(current.summary)")
    }

    func syntax(_ message: String, at position: Position? = nil) -> JinjaFailure {
        JinjaFailure(message, kind: .syntax, at: position ?? current.position)
    }

    mutating func deepen() throws {
        depth += 1
        guard depth <= Self.maximumDepth else {
            throw JinjaFailure("nested deeper than \(Self.maximumDepth) levels", kind: .limit, at: position)
        }
    }
}
