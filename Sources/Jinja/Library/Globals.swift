/// The functions that every template finds: Jinja's, and those transformers adds.
enum Globals {
    static var all: [(String, Value)] { functions.map { name, call in (name, .function(Value.Function(name, call))) } }

    private typealias Call = (Interpreter, Arguments) throws -> Value

    private static var functions: [(String, Call)] {
        [
            ("range", range),
            ("dict", { .dictionary(try dictionary($0, $1, of: "dict")) }),
            ("namespace", { try $0.makeNamespace(try dictionary($0, $1, of: "namespace")) }),
            ("cycler", cycler),
            ("joiner", joiner),
            (
                "raise_exception",
                { interpreter, arguments in
                    let message = try arguments.bound(to: ["message"], of: "raise_exception").required("message")
                    throw JinjaFailure(try interpreter.text(message), kind: .raised)
                }
            ),
            (
                "strftime_now",
                { interpreter, arguments in
                    let format = try arguments.bound(to: ["format"], of: "strftime_now").required("format")
                    return .string(PythonText.time(try interpreter.text(format), at: interpreter.now))
                }
            ),
        ]
    }

    private static func range(_ interpreter: Interpreter, _ arguments: Arguments) throws -> Value {
        let bounds = try arguments.positional.map { value in
            guard let integer = value.integer else {
                if case .undefined(let hint) = value { throw JinjaFailure(hint) }
                throw JinjaFailure("'\(value.typeName)' object cannot be interpreted as an integer")
            }
            return integer
        }
        guard (1...3).contains(bounds.count), arguments.named.isEmpty else {
            throw JinjaFailure("range takes one to three integers")
        }
        let (start, stop) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
        let step = bounds.count == 3 ? bounds[2] : 1
        guard step != 0 else { throw JinjaFailure("range() arg 3 must not be zero") }
        // As in the sandbox: no range is longer.
        let length = step > 0 ? Double(stop) - Double(start) : Double(start) - Double(stop)
        guard length / Double(step.magnitude) <= 100_000 else {
            throw JinjaFailure("range too big; at most 100000 elements", kind: .limit)
        }
        let values = Array(stride(from: start, to: stop, by: step))
        try interpreter.charge(values.count)
        return .sequence(Value.Sequence(.range, values.map(Value.int)))
    }

    /// From another dictionary, or pairs, and named arguments.
    private static func dictionary(
        _ interpreter: Interpreter, _ arguments: Arguments, of function: String
    ) throws -> Value.Dictionary {
        guard arguments.positional.count <= 1 else {
            throw JinjaFailure("\(function) takes at most one unnamed argument")
        }
        var result = Value.Dictionary()
        switch arguments.positional.first {
        case nil: break
        case .dictionary(let dictionary): result = dictionary
        case .some(let value):
            for element in try interpreter.elements(of: value) {
                let pair = try interpreter.elements(of: element)
                guard pair.count == 2 else { throw JinjaFailure("\(function) takes pairs") }
                try interpreter.charge(pair[0].weight)
                try result.set(pair[0], pair[1])
            }
        }
        for (name, value) in arguments.named { try result.set(.string(name), value) }
        return result
    }

    private static func cycler(_ interpreter: Interpreter, _ arguments: Arguments) throws -> Value {
        guard !arguments.positional.isEmpty else { throw JinjaFailure("at least one item has to be provided") }
        let items = arguments.positional
        var index = 0
        var attributes = Value.Dictionary()
        let namespace = Value.Namespace(attributes)
        func method(_ name: String, _ body: @escaping () -> Value) throws {
            try attributes.set(.string(name), .function(Value.Function(name) { _, _ in body() }))
        }
        try attributes.set(.string("current"), items[0])
        try method("next") { [unowned namespace] in
            let item = items[index]
            index = (index + 1) % items.count
            try? namespace.attributes.set(.string("current"), items[index])
            return item
        }
        try method("reset") { [unowned namespace] in
            index = 0
            try? namespace.attributes.set(.string("current"), items[0])
            return .none
        }
        namespace.attributes = attributes
        return interpreter.keep(namespace)
    }

    private static func joiner(_ interpreter: Interpreter, _ arguments: Arguments) throws -> Value {
        let separator = try arguments.bound(to: ["sep"], of: "joiner")["sep"] ?? .string(", ")
        var isUsed = false
        return .function(
            Value.Function("joiner", depth: 1 + separator.depth) { _, _ in
                defer { isUsed = true }
                return isUsed ? separator : .string("")
            })
    }
}
