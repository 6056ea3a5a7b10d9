/// A lexical element of a template.
struct Token: Sendable {
    enum Kind: Equatable, Sendable {
        /// Text outside tags, after whitespace control.
        case text(String)
        case variableBegin
        case variableEnd
        case blockBegin
        case blockEnd
        case name(String)
        case string(String)
        case integer(Int)
        case float(Double)
        /// One of `Lexer.operators`.
        case symbol(String)
        case end
    }

    let kind: Kind
    let position: Position

    /// For "expected …, found …".
    var summary: String {
        switch kind {
        case .text: "text"
        case .variableBegin: "'{{'"
        case .variableEnd: "'}}'"
        case .blockBegin: "'{%'"
        case .blockEnd: "'%}'"
        case .name(let name): "'\(name)'"
        case .string: "a string"
        case .integer(let value): "'\(value)'"
        case .float(let value): "'\(value)'"
        case .symbol(let symbol): "'\(symbol)'"
        case .end: "the end of the template"
        }
    }
}
