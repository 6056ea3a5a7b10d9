/// Jinja's tests: `value is name(arguments)`.
enum Tests {
    typealias Test = @Sendable (Interpreter, Value, Arguments) throws -> Bool

    static let all: [String: Test] = {
        var tests: [String: Test] = [
            "defined": { _, value, _ in if case .undefined = value { false } else { true } },
            "undefined": { _, value, _ in if case .undefined = value { true } else { false } },
            "none": { _, value, _ in if case .none = value { true } else { false } },
            "boolean": { _, value, _ in if case .bool = value { true } else { false } },
            "true": { _, value, _ in if case .bool(true) = value { true } else { false } },
            "false": { _, value, _ in if case .bool(false) = value { true } else { false } },
            "integer": { _, value, _ in if case .int = value { true } else { false } },
            "float": { _, value, _ in if case .double = value { true } else { false } },
            "number": { _, value, _ in value.number != nil },
            "string": { _, value, _ in if case .string = value { true } else { false } },
            "mapping": { _, value, _ in if case .dictionary = value { true } else { false } },
            "callable": { _, value, _ in
                switch value {
                case .function, .loop: true
                default: false
                }
            },
            "iterable": { _, value, _ in
                switch value {
                case .undefined, .string, .sequence, .dictionary, .generator, .loop: true
                default: false
                }
            },
            "sequence": { _, value, _ in
                switch value {
                case .undefined, .string, .dictionary: true
                case .sequence(let sequence): sequence.isIndexed
                default: false
                }
            },
            "escaped": { _, _, _ in false },
            "lower": { interpreter, value, _ in PythonString.isCased(try interpreter.text(value), lower: true) },
            "upper": { interpreter, value, _ in PythonString.isCased(try interpreter.text(value), lower: false) },
            "even": { _, value, _ in try integer(value) % 2 == 0 },
            "odd": { _, value, _ in try integer(value) % 2 != 0 },
            "divisibleby": { _, value, arguments in
                let divisor = try integer(try other(arguments))
                guard divisor != 0 else { throw JinjaFailure("integer division or modulo by zero") }
                let value = try integer(value)
                return divisor == -1 || value % divisor == 0
            },
            "in": { try $0.contains(try other($2), $1) },
            "sameas": { _, value, arguments in
                switch (value, try other(arguments)) {
                case (.bool(let left), .bool(let right)): left == right
                case (.bool, _), (_, .bool): false
                case (let left, let right): left.typeName == right.typeName && left.isEqual(to: right)
                }
            },
            "filter": { _, value, _ in
                if case .string(let name) = value { Filters.all[name] != nil } else { false }
            },
            "test": { _, value, _ in
                if case .string(let name) = value { isKnown(name) } else { false }
            },
        ]
        let comparisons: [([String], Test)] = [
            (["eq", "equalto", "=="], { try $0.isEqual($1, try other($2)) }),
            (["ne", "!="], { !(try $0.isEqual($1, try other($2))) }),
            (["lt", "lessthan", "<"], { _, value, arguments in try value.isLess(than: try other(arguments)) }),
            (["gt", "greaterthan", ">"], { _, value, arguments in try other(arguments).isLess(than: value) }),
            (["le", "<="], { _, value, arguments in !(try other(arguments).isLess(than: value)) }),
            (["ge", ">="], { _, value, arguments in !(try value.isLess(than: try other(arguments))) }),
        ]
        for (names, test) in comparisons { for name in names { tests[name] = test } }
        return tests
    }()

    private static func isKnown(_ name: String) -> Bool { all[name] != nil }

    private static func other(_ arguments: Arguments) throws -> Value {
        guard let value = arguments.positional.first, arguments.positional.count == 1, arguments.named.isEmpty else {
            throw JinjaFailure("the test takes one argument")
        }
        return value
    }

    private static func integer(_ value: Value) throws -> Int {
        if case .undefined(let hint) = value { throw JinjaFailure(hint) }
        guard let integer = value.integer else { throw JinjaFailure("'\(value.typeName)' is not an integer") }
        return integer
    }
}
