/// An expression and where it stands.
struct Expression: Sendable {
    let kind: Kind
    let position: Position

    indirect enum Kind: Sendable {
        case none
        case bool(Bool)
        case integer(Int)
        case float(Double)
        case string(String)
        case name(String)
        case list([Expression])
        case tuple([Expression])
        case dictionary([(key: Expression, value: Expression)])
        /// `a if test else b`; without `else`, undefined.
        case conditional(test: Expression, Expression, otherwise: Expression?)
        case and(Expression, Expression)
        case or(Expression, Expression)
        case not(Expression)
        case negative(Expression)
        case positive(Expression)
        case arithmetic(ArithmeticOperator, Expression, Expression)
        /// `a < b <= c`: every pair must hold.
        case comparison(Expression, [(ComparisonOperator, Expression)])
        /// `a ~ b ~ c`
        case concatenation([Expression])
        case attribute(Expression, String)
        case item(Expression, Expression)
        case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
        case call(Expression, CallArguments)
        /// Without a value in `{% filter … %}` and `{% set … | … %}`, where the block's text is the value.
        case filter(Expression?, String, CallArguments)
        case test(Expression, String, CallArguments)
    }
}

/// The arguments of a call, a filter or a test as they are written.
struct CallArguments: Sendable {
    var positional: [Expression] = []
    var named: [(name: String, value: Expression)] = []
    /// `*expression`
    var unpacked: Expression?
    /// `**expression`
    var unpackedNamed: Expression?
}

enum ArithmeticOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case remainder = "%"
    case power = "**"
}

enum ComparisonOperator: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case isIn = "in"
    case isNotIn = "not in"
}
