/// Renders a template's statements, counting what they use.
final class Interpreter {
    let limits: JinjaLimits
    /// Seconds since 1970, for `strftime_now`.
    let now: Int
    private var steps = 0
    private var nesting = 0
    private var loopLevel = 0
    /// Texts being made: the result, and on top of it those of `set` and `filter` blocks and macros.
    private var outputs = [""]
    /// What may refer to itself through a template's assignments, to be taken apart at the end.
    private var namespaces: [Value.Namespace] = []
    private var scopes: [Scope] = []

    /// How a body ended.
    private enum Flow {
        case normal
        case leaveLoop
        case nextRound
    }

    init(limits: JinjaLimits, now: Int) {
        self.limits = limits
        self.now = now
    }

    func render(_ statements: [Statement], _ globals: [(String, Value)]) throws -> String {
        let scope = Scope(parent: nil)
        scopes.append(scope)
        for (name, value) in globals { scope.set(name, value) }
        defer { takeApart() }
        _ = try run(statements, scope)
        return outputs[0]
    }

    private func takeApart() {
        for namespace in namespaces { namespace.attributes = Value.Dictionary() }
        for scope in scopes { scope.clear() }
    }

    // MARK: Limits

    func charge(_ count: Int = 1) throws {
        steps += count
        guard steps <= limits.steps else {
            throw JinjaFailure("the template takes more than \(limits.steps) steps", kind: .limit)
        }
    }

    /// Counts a new text.
    func checked(_ text: String) throws -> String {
        guard text.utf8.count <= limits.textBytes else { throw JinjaFailure.textLimit(limits.textBytes) }
        try charge(text.utf8.count / 16)
        return text
    }

    /// Counts a value made of others, and keeps it from becoming so deep that taking it apart needs too much stack.
    func checked(_ value: Value) throws -> Value {
        switch value {
        case .sequence(let sequence): try charge(sequence.values.count)
        case .dictionary(let dictionary): try charge(dictionary.count)
        case .string(let text): _ = try checked(text)
        default: break
        }
        guard value.depth <= 200 else { throw JinjaFailure("a value is nested deeper than 200 levels", kind: .limit) }
        return value
    }

    func nested<Result>(_ body: () throws -> Result) throws -> Result {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= limits.nesting else {
            throw JinjaFailure("the template nests deeper than \(limits.nesting) levels", kind: .limit)
        }
        return try body()
    }

    /// `str(value)`
    func text(_ value: Value) throws -> String {
        if case .string(let text) = value { return text }
        return try checked(try PythonText.str(value, limit: limits.textBytes))
    }

    func isEqual(_ left: Value, _ right: Value) throws -> Bool {
        try charge(min(left.weight, right.weight))
        return left.isEqual(to: right)
    }

    func isLess(_ left: Value, than right: Value) throws -> Bool {
        try charge(min(left.weight, right.weight))
        return try left.isLess(than: right)
    }

    func makeNamespace(_ attributes: Value.Dictionary) throws -> Value {
        _ = try checked(.dictionary(attributes))
        return keep(Value.Namespace(attributes))
    }

    /// A namespace may come to hold itself, so it is emptied at the end.
    func keep(_ namespace: Value.Namespace) -> Value {
        namespaces.append(namespace)
        return .namespace(namespace)
    }

    // MARK: Statements

    private func write(_ text: String) throws {
        outputs[outputs.count - 1] += text
        guard outputs[outputs.count - 1].utf8.count <= limits.textBytes else {
            throw JinjaFailure.textLimit(limits.textBytes)
        }
    }

    /// What `body` writes.
    private func captured(_ body: () throws -> Void) throws -> String {
        outputs.append("")
        do {
            try body()
        } catch {
            outputs.removeLast()
            throw error
        }
        return try checked(outputs.removeLast())
    }

    private func run(_ statements: [Statement], _ scope: Scope) throws -> Flow {
        for statement in statements {
            do {
                try charge()
                let flow = try nested { try run(statement.kind, scope) }
                guard flow == .normal else { return flow }
            } catch var failure as JinjaFailure where failure.position == nil {
                failure.position = statement.position
                throw failure
            }
        }
        return .normal
    }

    private func run(_ statement: Statement.Kind, _ scope: Scope) throws -> Flow {
        switch statement {
        case .text(let text): try write(text)
        case .output(let expression): try write(try text(try evaluate(expression, scope)))
        case .condition(let branches, let otherwise):
            for branch in branches where try evaluate(branch.test, scope).isTrue {
                return try run(branch.body, scope)
            }
            return try run(otherwise, scope)
        case .loop(let loop): try run(loop, try evaluate(loop.elements, scope), scope, level: 0)
        case .set(let target, let expression): try assign(try evaluate(expression, scope), to: target, scope)
        case .setBlock(let target, let filter, let body):
            var flow = Flow.normal
            var value = Value.string(try captured { flow = try run(body, Scope(parent: scope)) })
            guard flow == .normal else { return flow }
            if let filter { value = try evaluate(filter, scope, piped: value) }
            try assign(value, to: target, scope)
        case .macro(let macro): scope.set(macro.name, function(macro, scope))
        case .call(let call, let caller):
            try write(try text(try evaluate(call, scope, caller: function(caller, scope))))
        case .filter(let filter, let body):
            var flow = Flow.normal
            let text = try captured { flow = try run(body, Scope(parent: scope)) }
            guard flow == .normal else { return flow }
            try write(try self.text(try evaluate(filter, scope, piped: .string(text))))
        case .with(let values, let body):
            let inner = Scope(parent: scope)
            for (target, value) in values { try assign(try evaluate(value, scope), to: target, inner) }
            return try run(body, inner)
        case .scope(let body): return try run(body, Scope(parent: scope))
        case .leaveLoop: return .leaveLoop
        case .nextRound: return .nextRound
        }
        return .normal
    }

    private func assign(_ value: Value, to target: Statement.Target, _ scope: Scope) throws {
        switch target {
        case .name(let name): scope.set(name, value)
        case .attribute(let name, let attribute):
            guard case .namespace(let namespace) = scope.lookUp(name) else {
                throw JinjaFailure("cannot assign attribute on non-namespace object '\(name)'")
            }
            guard value.depth < 200 else {
                throw JinjaFailure("a value is nested deeper than 200 levels", kind: .limit)
            }
            try namespace.attributes.set(.string(attribute), value)
        case .several(let targets):
            let values = try elements(of: value)
            guard values.count == targets.count else {
                throw JinjaFailure("\(values.count) values for \(targets.count) names")
            }
            for (target, value) in zip(targets, values) { try assign(value, to: target, scope) }
        }
    }

    private func run(_ statement: Statement.Loop, _ value: Value, _ scope: Scope, level: Int) throws {
        var values = try elements(of: value)
        if let filter = statement.filter {
            values = try values.filter { value in
                let inner = Scope(parent: scope)
                try assign(value, to: statement.target, inner)
                return try evaluate(filter, inner).isTrue
            }
        }
        let loop = Value.Loop(values, level: level)
        if statement.isRecursive {
            loop.recurse = { [unowned self] value in
                .string(try captured { try nested { try run(statement, value, scope, level: level + 1) } })
            }
        }
        defer { loop.recurse = nil }
        // As Jinja compiles it: a round that 'break' or 'continue' cuts short doesn't keep the 'else' from running.
        var runsOtherwise = true
        for (index, value) in values.enumerated() {
            try charge()
            loop.index = index
            let inner = Scope(parent: scope)
            inner.set("loop", .loop(loop))
            try assign(value, to: statement.target, inner)
            let flow = try run(statement.body, inner)
            if flow == .leaveLoop { break }
            if flow == .normal { runsOtherwise = false }
        }
        if runsOtherwise { _ = try run(statement.otherwise, Scope(parent: scope)) }
    }

    /// A macro as a value, with the names around its definition.
    private func function(_ macro: Statement.Macro, _ scope: Scope) -> Value {
        scopes.append(scope)
        return .function(
            Value.Function(macro.name) { interpreter, arguments in
                try interpreter.nested { try interpreter.run(macro, arguments, scope) }
            })
    }

    private func run(_ macro: Statement.Macro, _ arguments: Arguments, _ scope: Scope) throws -> Value {
        let inner = Scope(parent: scope)
        var named = Value.Dictionary()
        for (name, value) in arguments.named { try named.set(.string(name), value) }
        var rest = Value.Dictionary()
        var caller = Value.none
        for (key, value) in zip(named.keys, named.values) {
            guard case .string(let name) = key, !macro.parameters.contains(where: { $0.name == name }) else { continue }
            if name == "caller", macro.takesCaller {
                caller = value
            } else {
                guard macro.takesKwargs else { throw JinjaFailure("macro '\(macro.name)' takes no argument '\(name)'") }
                try rest.set(key, value)
            }
        }
        for (index, parameter) in macro.parameters.enumerated() {
            if index < arguments.positional.count {
                guard named[parameter.name] == nil else {
                    throw JinjaFailure("macro '\(macro.name)' is given '\(parameter.name)' twice")
                }
                inner.set(parameter.name, arguments.positional[index])
            } else if let value = named[parameter.name] {
                inner.set(parameter.name, value)
            } else if let fallback = parameter.fallback {
                inner.set(parameter.name, try evaluate(fallback, inner))
            } else {
                inner.set(parameter.name, .undefined("parameter '\(parameter.name)' was not provided"))
            }
        }
        let extra = Array(arguments.positional.dropFirst(macro.parameters.count))
        guard extra.isEmpty || macro.takesVarargs else {
            throw JinjaFailure("macro '\(macro.name)' takes not more than \(macro.parameters.count) argument(s)")
        }
        if macro.takesVarargs { inner.set("varargs", try checked(.tuple(extra))) }
        if macro.takesKwargs { inner.set("kwargs", .dictionary(rest)) }
        if macro.takesCaller {
            if case .none = caller { caller = .undefined("No caller defined") }
            inner.set("caller", caller)
        }
        return .string(try captured { _ = try run(macro.body, inner) })
    }

    // MARK: Sequences

    /// The elements one by one, of a generator no sooner than they are wanted.
    func iterator(over value: Value) throws -> Value.Generator.Step {
        if case .generator(let generator) = value { return { try generator.next($0) } }
        return Value.Generator.steps(through: try elements(of: value))
    }

    /// What a loop goes through.
    func elements(of value: Value) throws -> [Value] {
        switch value {
        case .undefined: return []
        case .string(let text), .markup(let text):
            try charge(text.utf8.count)
            return text.unicodeScalars.map { .string(String($0)) }
        case .sequence(let sequence):
            try charge(sequence.values.count)
            return sequence.values
        case .dictionary(let dictionary):
            try charge(dictionary.count)
            return dictionary.keys
        case .generator(let generator): return try generator.rest(self)
        case .loop(let loop): return Array(loop.values.dropFirst(loop.index + 1))
        case .none, .bool, .int, .large, .double, .namespace, .function:
            throw JinjaFailure("'\(value.typeName)' object is not iterable")
        }
    }
}
