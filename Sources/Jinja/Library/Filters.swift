/// Jinja's filters, and `tojson` as transformers defines it.
enum Filters {
    typealias Filter = @Sendable (Interpreter, Value, Arguments) throws -> Value

    static let all: [String: Filter] = [text, values, numbers, markup].reduce([:]) { $0.merging($1) { $1 } }

    static let takingNoArguments: Set = [
        "abs", "capitalize", "count", "e", "escape", "first", "forceescape", "items", "last", "length", "list", "lower",
        "reverse", "safe", "string", "striptags", "title", "upper", "wordcount",
    ]

    /// Those that leave marked text marked: the others, and all tests, see mere text.
    static let keepingMarks: Set = [
        "string", "trim", "lower", "upper", "capitalize", "center", "indent", "format", "truncate",
    ]

    /// Those that look at the mark themselves.
    static let readingMarks: Set = ["safe", "escape", "e", "forceescape", "default", "d", "attr"]

    /// The elements of what isn't a mere undefined: those filters that need a value say which is missing.
    static func elements(_ interpreter: Interpreter, _ value: Value) throws -> [Value] {
        try interpreter.elements(of: value)
    }

    // MARK: Numbers

    private static let numbers: [String: Filter] = [
        "abs": { _, value, _ in
            switch value {
            case .double(let number): return .double(number.magnitude)
            case .large(let integer): return integer.isNegative ? integer.negated : value
            default:
                guard let integer = value.integer else { throw wrongType("abs", value) }
                guard integer != .min else { throw JinjaFailure.integerRange }
                return .int(abs(integer))
            }
        },
        "float": { _, value, arguments in
            let fallback = try arguments.bound(to: ["default"], of: "float")["default"] ?? .double(0)
            switch value {
            case .string(let text): return PythonString.float(text).map(Value.double) ?? fallback
            case .undefined(let hint): throw JinjaFailure(hint)
            default: return value.number.map(Value.double) ?? fallback
            }
        },
        "int": { _, value, arguments in
            let bound = try arguments.bound(to: ["default", "base"], of: "int")
            let fallback = bound["default"] ?? .int(0)
            switch value {
            case .string(let text):
                let base = try bound.integer("base") ?? 10
                if let integer = PythonString.integer(text, base: base) { return integer }
                return PythonString.float(text).flatMap(whole) ?? fallback
            case .double(let number): return whole(number) ?? fallback
            case .large: return value
            case .undefined(let hint): throw JinjaFailure(hint)
            default: return value.integer.map(Value.int) ?? fallback
            }
        },
        "round": { interpreter, value, arguments in
            let bound = try arguments.bound(to: ["precision", "method"], of: "round")
            let method = try bound.string("method") ?? "common"
            let precision = min(max(try bound.integer("precision") ?? 0, -300), 300)
            guard ["common", "ceil", "floor"].contains(method) else {
                throw JinjaFailure("method must be common, ceil or floor")
            }
            guard let number = value.number else { throw wrongType("round", value) }
            if method != "common" {
                let scale = Interpreter.power(10, Double(precision))
                let scaled = number * scale
                return .double((method == "ceil" ? scaled.rounded(.up) : scaled.rounded(.down)) / scale)
            }
            if let integer = value.integer, precision >= 0 { return .int(integer) }
            if case .large = value {
                guard precision >= 0 else { throw JinjaFailure.integerRange }
                return value
            }
            guard precision >= 0 else {
                let scale = Interpreter.power(10, Double(-precision))
                let rounded = (number / scale).rounded(.toNearestOrEven) * scale
                return value.integer == nil ? .double(rounded) : .int(Int(exactly: rounded) ?? 0)
            }
            // Decimal digits of the exact value, so that 2.675 is what it is in binary.
            return .double(Double(PythonText.formatted(number, "f", precision: precision)) ?? number)
        },
        "sum": { interpreter, value, arguments in
            let bound = try arguments.bound(to: ["attribute", "start"], of: "sum")
            let attribute = try path(bound["attribute"])
            if case .string = bound["start"] { throw JinjaFailure("sum() can't sum strings; use 'join'") }
            return try elements(interpreter, value).reduce(bound["start"] ?? .int(0)) {
                try interpreter.sum($0, try interpreter.follow(attribute, from: $1))
            }
        },
    ]

    /// A number without its fraction, as an integer; nil for one that is not finite.
    private static func whole(_ number: Double) -> Value? {
        let whole = number.rounded(.towardZero)
        return Int(exactly: whole).map(Value.int) ?? LargeInteger(exactly: whole).map(Value.large)
    }

    static func wrongType(_ filter: String, _ value: Value) -> JinjaFailure {
        if case .undefined(let hint) = value { return JinjaFailure(hint) }
        return JinjaFailure("the filter '\(filter)' takes no '\(value.typeName)'")
    }

    // MARK: Attributes of elements

    /// `a.b.0` as keys, from an argument.
    static func path(_ argument: Value?) throws -> [Value] {
        switch argument {
        case nil, .some(.none): return []
        case .int(let index): return [.int(index)]
        case .string(let text):
            return StringSearch.split(text, by: ".").map { Int($0).map(Value.int) ?? .string($0) }
        case .some(let value): throw JinjaFailure("an attribute is text or a number, not \(value.typeName)")
        }
    }

    /// For comparing: text of all cases as one, unless asked otherwise.
    static func folded(_ interpreter: Interpreter, _ value: Value, _ isCaseSensitive: Bool) throws -> Value {
        guard !isCaseSensitive, case .string(let text) = value else { return value }
        return .string(try interpreter.checked(PythonString.lowered(text)))
    }
}

extension Interpreter {
    /// The value at the end of a path of attributes.
    func follow(_ path: [Value], from value: Value, default fallback: Value? = nil) throws -> Value {
        var value = value
        for key in path {
            try charge()
            value = try item(key, of: value)
            if let fallback, case .undefined = value { value = fallback }
        }
        return value
    }

    /// Those elements in order, stable; equal ones as they stood.
    func sorted(_ values: [Value], by key: (Value) throws -> Value, isReversed: Bool) throws -> [Value] {
        let keyed = try values.map { (value: $0, key: try key($0)) }
        let ordered = try Order.sorted(keyed) { left, right in
            isReversed ? try isLess(right.key, than: left.key) : try isLess(left.key, than: right.key)
        }
        return ordered.map(\.value)
    }
}
