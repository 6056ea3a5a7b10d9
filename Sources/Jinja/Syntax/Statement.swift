/// A statement and where its tag stands.
struct Statement: Sendable {
    let kind: Kind
    let position: Position

    indirect enum Kind: Sendable {
        case text(String)
        case output(Expression)
        case condition([(test: Expression, body: [Statement])], otherwise: [Statement])
        case loop(Loop)
        case set(Target, Expression)
        /// `{% set name | filters %}…{% endset %}`
        case setBlock(Target, filter: Expression?, body: [Statement])
        case macro(Macro)
        /// `{% call(parameters) macro(…) %}…{% endcall %}`; the body becomes `caller`.
        case call(Expression, caller: Macro)
        case filter(Expression, body: [Statement])
        case with([(target: Target, value: Expression)], body: [Statement])
        /// A body with variables of its own: `{% generation %}`, which marks what a model wrote.
        case scope([Statement])
        case leaveLoop
        case nextRound
    }

    struct Loop: Sendable {
        let target: Target
        let elements: Expression
        let filter: Expression?
        let isRecursive: Bool
        let body: [Statement]
        /// Run if there were no elements.
        let otherwise: [Statement]
    }

    struct Macro: Sendable {
        let name: String
        let parameters: [(name: String, fallback: Expression?)]
        let body: [Statement]
        /// Whether the body names `varargs`, `kwargs`, `caller`: only then are such arguments welcome.
        let takesVarargs: Bool
        let takesKwargs: Bool
        let takesCaller: Bool
    }

    /// What a value is assigned to.
    indirect enum Target: Sendable {
        case name(String)
        /// `namespace.attribute`
        case attribute(of: String, String)
        case several([Target])
    }
}
