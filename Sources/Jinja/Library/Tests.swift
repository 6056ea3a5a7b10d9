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
            "integer": { _, value, _ in
                switch value {
                case .int, .large: true
                default: false
                }
            },
            "float": { _, value, _ in if case .double = value { true } else { false } },
            "number": { _, value, _ in value.number != nil },
            "string": { _, value, _ in if case .string = value { true } else { false } },
            "mapping": { _, value, _ in if case .dictionary = value { true } else { false } },
            "callable": { _, value, _ in
                switch value {
                case .function, .loop, .undefined: true
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
            "escaped": { _, value, _ in if case .markup = value { true } else { false } },
            "lower": { interpreter, value, _ in PythonString.isCased(try interpreter.text(value), lower: true) },
            "upper": { interpreter, value, _ in PythonString.isCased(try interpreter.text(value), lower: false) },
            "even": { interpreter, value, _ in try remainder(interpreter, value, .int(2)) == 0 },
            "odd": { interpreter, value, _ in try remainder(interpreter, value, .int(2)) == 1 },
            "divisibleby": { interpreter, value, arguments in
                try remainder(interpreter, value, try other(arguments)) == 0
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
            (["lt", "lessthan", "<"], { try $0.compare($1, .less, try other($2)) }),
            (["gt", "greaterthan", ">"], { try $0.compare($1, .greater, try other($2)) }),
            (["le", "<="], { try $0.compare($1, .lessOrEqual, try other($2)) }),
            (["ge", ">="], { try $0.compare($1, .greaterOrEqual, try other($2)) }),
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

    private static func remainder(_ interpreter: Interpreter, _ value: Value, _ divisor: Value) throws -> Double? {
        try interpreter.arithmetic(.remainder, value, divisor).number
    }
}
