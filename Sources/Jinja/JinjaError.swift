/// Why a template could not be read or rendered, with the place in it.
public struct JinjaError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Kind: Equatable, Sendable {
        /// The text is not a template this engine reads.
        case syntax
        /// An operation failed: an undefined value used, a type that does not fit, an unknown filter.
        case runtime
        /// The template called `raise_exception`; the message is the template author's.
        case raised
        /// The template asks for more steps, output, memory or nesting than `JinjaLimits` allows.
        case limit
    }

    public let kind: Kind
    /// What the template was called when it was parsed: a file's name.
    public let template: String
    /// Counted from 1; the column in Unicode scalars.
    public let line: Int
    public let column: Int
    public let message: String

    public var description: String { "\(template):\(line):\(column): \(message)" }
}

/// What a template may use before it is stopped. Templates come with models, from strangers.
public struct JinjaLimits: Sendable {
    /// Statements run and expressions evaluated, counting every round of a loop; elements made by filters count too.
    public var steps = 5_000_000
    /// Bytes of the rendered text, and of any one text on the way.
    public var textBytes = 16 << 20
    /// Expressions and statements within each other, through macros and recursive loops.
    public var nesting = 500

    public init() {}
}

/// A place in a template, counted from 1.
struct Position: Sendable {
    var line = 1
    var column = 1
}

/// An error on its way to the place that knows where it happened and in which template.
struct JinjaFailure: Error {
    let kind: JinjaError.Kind
    let message: String
    var position: Position?

    init(_ message: String, kind: JinjaError.Kind = .runtime, at position: Position? = nil) {
        self.kind = kind
        self.message = message
        self.position = position
    }

    static var integerRange: JinjaFailure {
        JinjaFailure("an integer goes out of the range of 64 bits", kind: .limit)
    }

    static func textLimit(_ bytes: Int) -> JinjaFailure {
        JinjaFailure("a text grows beyond \(bytes) bytes", kind: .limit)
    }

    func error(in template: String) -> JinjaError {
        let position = position ?? Position()
        return JinjaError(
            kind: kind, template: template, line: position.line, column: position.column, message: message)
    }
}
