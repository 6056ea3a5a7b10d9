/// The values of a call.
struct Arguments {
    var positional: [Value] = []
    var named: [(name: String, value: Value)] = []

    var isEmpty: Bool { positional.isEmpty && named.isEmpty }

    /// The values by the names of a function's parameters.
    ///
    /// - Throws: `JinjaFailure` if there are too many, an unknown name, or one given twice.
    func bound(to parameters: [String], of function: String) throws -> BoundArguments {
        guard positional.count <= parameters.count else {
            throw JinjaFailure(
                "\(function)() takes at most \(parameters.count) arguments, \(positional.count) are given")
        }
        var values: [String: Value] = [:]
        for (name, value) in zip(parameters, positional) { values[name] = value }
        for (name, value) in named {
            guard parameters.contains(name) else {
                throw JinjaFailure("\(function)() has no parameter '\(name)'")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw JinjaFailure("\(function)() is given '\(name)' twice")
            }
        }
        return BoundArguments(function: function, values: values)
    }

    /// The call without its first arguments.
    func dropping(_ count: Int) -> Arguments {
        Arguments(positional: Array(positional.dropFirst(count)), named: named)
    }
}

extension Arguments {
    /// With marked text as mere text.
    var plain: Arguments {
        Arguments(positional: positional.map(\.plain), named: named.map { ($0.name, $0.value.plain) })
    }
}

/// Arguments by the names of the parameters they are for.
struct BoundArguments {
    let function: String
    fileprivate let values: [String: Value]

    fileprivate init(function: String, values: [String: Value]) {
        self.function = function
        self.values = values
    }

    /// Nil if the argument isn't given.
    subscript(name: String) -> Value? { values[name] }

    func required(_ name: String) throws -> Value {
        guard let value = values[name] else { throw JinjaFailure("\(function)() needs the argument '\(name)'") }
        return value
    }

    func flag(_ name: String, default fallback: Bool = false) -> Bool { values[name]?.isTrue ?? fallback }

    /// Nil if the argument isn't given or `none`.
    func string(_ name: String) throws -> String? {
        switch values[name] {
        case nil, .some(.none): return nil
        case .string(let text): return text
        case .some(let value):
            throw JinjaFailure("\(function)(): '\(name)' must be a string, not \(value.typeName)")
        }
    }

    /// Nil if the argument isn't given or `none`.
    func integer(_ name: String) throws -> Int? {
        guard let value = values[name] else { return nil }
        if case .none = value { return nil }
        if let integer = value.integer { return integer }
        throw JinjaFailure("\(function)(): '\(name)' must be an integer, not \(value.typeName)")
    }
}
