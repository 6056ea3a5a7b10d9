#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Interpreter {
    /// - Parameters:
    ///   - piped: what a filter without a value of its own works on: a block's text.
    ///   - caller: passed to the call that the expression is.
    func evaluate(
        _ expression: Expression, _ scope: Scope, piped: Value? = nil, caller: Value? = nil
    ) throws -> Value {
        do {
            try charge()
            return try nested { try evaluate(expression.kind, scope, piped, caller) }
        } catch var failure as JinjaFailure where failure.position == nil {
            failure.position = expression.position
            throw failure
        }
    }

    private func evaluate(_ expression: Expression.Kind, _ scope: Scope, _ piped: Value?, _ caller: Value?) throws
        -> Value
    {
        switch expression {
        case .none: return .none
        case .bool(let value): return .bool(value)
        case .integer(let value): return .int(value)
        case .float(let value): return .double(value)
        case .string(let text): return .string(text)
        case .name(let name): return scope.lookUp(name) ?? .undefined("'\(name)' is undefined")
        case .list(let elements): return try checked(.list(try elements.map { try evaluate($0, scope) }))
        case .tuple(let elements): return try checked(.tuple(try elements.map { try evaluate($0, scope) }))
        case .dictionary(let pairs):
            var dictionary = Value.Dictionary()
            for (key, value) in pairs {
                let key = try evaluate(key, scope)
                try charge(key.weight)
                try dictionary.set(key, try evaluate(value, scope))
            }
            return try checked(.dictionary(dictionary))
        case .conditional(let test, let value, let otherwise):
            if try evaluate(test, scope).isTrue { return try evaluate(value, scope) }
            return try otherwise.map { try evaluate($0, scope) }
                ?? .undefined("the inline if-expression evaluated to false and no else section was defined")
        case .and(let left, let right):
            let value = try evaluate(left, scope)
            return value.isTrue ? try evaluate(right, scope) : value
        case .or(let left, let right):
            let value = try evaluate(left, scope)
            return value.isTrue ? value : try evaluate(right, scope)
        case .not(let value): return .bool(!(try evaluate(value, scope).isTrue))
        case .negative(let value): return try negated(try evaluate(value, scope))
        case .positive(let value):
            let value = try evaluate(value, scope)
            guard value.number != nil else { throw badOperand("+", value) }
            return value.integer.map(Value.int) ?? value
        case .arithmetic(let operation, let left, let right):
            return try arithmetic(operation, try evaluate(left, scope), try evaluate(right, scope))
        case .comparison(let first, let rest):
            var left = try evaluate(first, scope)
            for (comparison, expression) in rest {
                let right = try evaluate(expression, scope)
                guard try compare(left, comparison, right) else { return .bool(false) }
                left = right
            }
            return .bool(true)
        case .concatenation(let parts):
            var joined = ""
            for part in parts {
                joined += try text(try evaluate(part, scope))
                guard joined.utf8.count <= limits.textBytes else { throw JinjaFailure.textLimit(limits.textBytes) }
            }
            return .string(try checked(joined))
        case .attribute(let value, let name): return try attribute(name, of: try evaluate(value, scope))
        case .item(let value, let index): return try item(try evaluate(index, scope), of: try evaluate(value, scope))
        case .slice(let value, let start, let stop, let step):
            let value = try evaluate(value, scope)
            let bounds = try [start, stop, step].map { bound -> Int? in
                guard let bound = try bound.map({ try evaluate($0, scope) }) else { return nil }
                if case .none = bound { return nil }
                guard let index = bound.integer else {
                    throw JinjaFailure("slice indices must be integers or none, not \(bound.typeName)")
                }
                return index
            }
            return try slice(value, bounds[0], bounds[1], bounds[2])
        case .call(let callee, let written):
            var arguments = try evaluate(written, scope)
            if let caller { arguments.named.append(("caller", caller)) }
            return try call(try evaluate(callee, scope), arguments)
        case .filter(let value, let name, let written):
            // Without a value, or on top of a filter without one: the block's text.
            let value = try value.map { try evaluate($0, scope, piped: piped) } ?? piped ?? .undefined("no value")
            return try filter(name, value, try evaluate(written, scope))
        case .test(let value, let name, let written):
            return .bool(try test(name, try evaluate(value, scope), try evaluate(written, scope)))
        }
    }

    private func evaluate(_ written: CallArguments, _ scope: Scope) throws -> Arguments {
        var arguments = Arguments()
        arguments.positional = try written.positional.map { try evaluate($0, scope) }
        arguments.named = try written.named.map { ($0.name, try evaluate($0.value, scope)) }
        if let unpacked = written.unpacked {
            arguments.positional += try elements(of: try evaluate(unpacked, scope))
        }
        if let unpacked = written.unpackedNamed {
            guard case .dictionary(let dictionary) = try evaluate(unpacked, scope) else {
                throw JinjaFailure("the argument after '**' must be a dictionary")
            }
            for (key, value) in zip(dictionary.keys, dictionary.values) {
                guard case .string(let name) = key else { throw JinjaFailure("argument names must be strings") }
                arguments.named.append((name, value))
            }
        }
        return arguments
    }

    func call(_ callee: Value, _ arguments: Arguments) throws -> Value {
        switch callee {
        case .function(let function): return try checked(try function.call(self, arguments))
        case .loop(let loop):
            guard let recurse = loop.recurse else {
                throw JinjaFailure("this loop is not recursive; write 'recursive' in its 'for' tag")
            }
            return try recurse(try arguments.bound(to: ["iterable"], of: "loop").required("iterable"))
        case .undefined(let hint): throw JinjaFailure(hint)
        default: throw JinjaFailure("'\(callee.typeName)' object is not callable")
        }
    }

    func filter(_ name: String, _ value: Value, _ arguments: Arguments) throws -> Value {
        guard let filter = Filters.all[name] else { throw JinjaFailure("unknown filter '\(name)'") }
        guard !Filters.takingNoArguments.contains(name) || arguments.isEmpty else {
            throw JinjaFailure("the filter '\(name)' takes no arguments")
        }
        if case .string(let text) = value.plain { try charge(text.utf8.count / 16) }
        guard !Filters.readingMarks.contains(name) else { return try checked(try filter(self, value, arguments)) }
        let result = try checked(try filter(self, value.plain, arguments.plain))
        if case .markup = value, Filters.keepingMarks.contains(name) { return result.marked }
        return result
    }

    func test(_ name: String, _ value: Value, _ arguments: Arguments) throws -> Bool {
        guard let test = Tests.all[name] else { throw JinjaFailure("unknown test '\(name)'") }
        return try test(self, name == "escaped" ? value : value.plain, arguments.plain)
    }

    // MARK: Operators

    private func badOperand(_ sign: String, _ value: Value) -> JinjaFailure {
        if case .undefined(let hint) = value { return JinjaFailure(hint) }
        return JinjaFailure("bad operand type for unary \(sign): '\(value.typeName)'")
    }

    private func negated(_ value: Value) throws -> Value {
        if let integer = value.integer {
            let (result, overflows) = 0.subtractingReportingOverflow(integer)
            guard !overflows else { throw JinjaFailure.integerRange }
            return .int(result)
        }
        if case .large(let integer) = value { return integer.negated }
        guard case .double(let number) = value else { throw badOperand("-", value) }
        return .double(-number)
    }

    func arithmetic(_ operation: ArithmeticOperator, _ left: Value, _ right: Value) throws -> Value {
        if let a = left.integer, let b = right.integer { return try arithmetic(operation, a, b) }
        switch (left, right) {
        case (.large, .int), (.int, .large), (.large, .bool), (.bool, .large), (.large, .large):
            throw JinjaFailure.integerRange
        default: break
        }
        if let a = left.number, let b = right.number { return try arithmetic(operation, a, b) }
        switch (operation, left, right) {
        case (.add, .markup, .string), (.add, .string, .markup), (.add, .markup, .markup):
            let texts = (try Filters.escaped(left, self), try Filters.escaped(right, self))
            return .markup(try checked(texts.0 + texts.1))
        case (.remainder, .markup, _):
            return try arithmetic(operation, left.plain, try escapedArguments(right)).marked
        case (.multiply, .markup, _), (.multiply, _, .markup):
            return try arithmetic(operation, left.plain, right.plain).marked
        case (_, .undefined(let hint), _): throw JinjaFailure(hint)
        case (.remainder, .string(let format), _):
            return .string(try checked(try PercentFormat.text(format, right, self)))
        case (_, _, .undefined(let hint)): throw JinjaFailure(hint)
        case (.add, .string(let a), .string(let b)): return .string(try checked(a + b))
        case (.add, .sequence(let a), .sequence(let b)) where a.kind == b.kind && (a.kind == .list || a.kind == .tuple):
            return try checked(.sequence(Value.Sequence(a.kind, a.values + b.values)))
        case (.multiply, .string(let text), _): if let count = right.integer { return try repeated(text, count) }
        case (.multiply, _, .string(let text)): if let count = left.integer { return try repeated(text, count) }
        case (.multiply, .sequence(let values), _): if let count = right.integer { return try repeated(values, count) }
        case (.multiply, _, .sequence(let values)): if let count = left.integer { return try repeated(values, count) }
        default: break
        }
        throw JinjaFailure(
            "unsupported operand type(s) for \(operation.rawValue): '\(left.typeName)' and '\(right.typeName)'")
    }

    /// Text in the arguments of a marked format.
    private func escapedArguments(_ arguments: Value) throws -> Value {
        switch arguments {
        case .string, .markup: return .string(try Filters.escaped(arguments, self))
        case .sequence(let sequence) where sequence.kind == .tuple:
            return .tuple(try sequence.values.map { try escapedArguments($0) })
        default: return arguments
        }
    }

    func sum(_ left: Value, _ right: Value) throws -> Value { try arithmetic(.add, left, right) }

    static func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

    private func repeated(_ text: String, _ count: Int) throws -> Value {
        let (bytes, overflows) = text.utf8.count.multipliedReportingOverflow(by: max(0, count))
        guard !overflows, bytes <= limits.textBytes else { throw JinjaFailure.textLimit(limits.textBytes) }
        return .string(try checked(String(repeating: text, count: max(0, count))))
    }

    private func repeated(_ sequence: Value.Sequence, _ count: Int) throws -> Value {
        let (total, overflows) = sequence.values.count.multipliedReportingOverflow(by: max(0, count))
        try charge(overflows ? limits.steps : total)
        let values = (0..<max(0, total == 0 ? 0 : count)).flatMap { _ in sequence.values }
        return .sequence(Value.Sequence(sequence.kind, values))
    }

    private func arithmetic(_ operation: ArithmeticOperator, _ a: Int, _ b: Int) throws -> Value {
        func checked(_ result: (partialValue: Int, overflow: Bool)) throws -> Value {
            guard !result.overflow else { throw JinjaFailure.integerRange }
            return .int(result.partialValue)
        }
        switch operation {
        case .add: return try checked(a.addingReportingOverflow(b))
        case .subtract: return try checked(a.subtractingReportingOverflow(b))
        case .multiply: return try checked(a.multipliedReportingOverflow(by: b))
        case .divide:
            guard b != 0 else { throw JinjaFailure("division by zero") }
            return .double(Double(a) / Double(b))
        case .floorDivide, .remainder:
            guard b != 0 else { throw JinjaFailure("integer division or modulo by zero") }
            let quotient = a.dividedReportingOverflow(by: b)
            guard !quotient.overflow else { throw JinjaFailure.integerRange }
            // Python rounds down, and the remainder has the divisor's sign.
            let rest = a - quotient.partialValue * b
            let isBelow = rest != 0 && (rest < 0) != (b < 0)
            if operation == .remainder { return .int(isBelow ? rest + b : rest) }
            return .int(isBelow ? quotient.partialValue - 1 : quotient.partialValue)
        case .power:
            guard b >= 0 else { return try arithmetic(.power, Double(a), Double(b)) }
            var result = 1
            for _ in 0..<(a.magnitude < 2 ? min(b, 2 + b % 2) : b) {
                guard case .int(let product) = try checked(result.multipliedReportingOverflow(by: a)) else { break }
                result = product
            }
            return .int(result)
        }
    }

    private func arithmetic(_ operation: ArithmeticOperator, _ a: Double, _ b: Double) throws -> Value {
        switch operation {
        case .add: return .double(a + b)
        case .subtract: return .double(a - b)
        case .multiply: return .double(a * b)
        case .power:
            guard a != 0 || b >= 0 else { throw JinjaFailure("0.0 cannot be raised to a negative power") }
            let power = Self.power(a, b)
            guard power.isFinite || !a.isFinite || !b.isFinite else {
                throw JinjaFailure(power.isNaN ? "a power that is a complex number" : "numerical result out of range")
            }
            return .double(power)
        case .divide, .floorDivide, .remainder:
            guard b != 0 else { throw JinjaFailure("float division by zero") }
            if operation == .divide { return .double(a / b) }
            let rest = a.truncatingRemainder(dividingBy: b)
            let remainder = rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest
            return .double(operation == .remainder ? remainder : ((a - remainder) / b).rounded())
        }
    }

    func compare(_ left: Value, _ comparison: ComparisonOperator, _ right: Value) throws -> Bool {
        switch comparison {
        case .equal: return try isEqual(left, right)
        case .notEqual: return !(try isEqual(left, right))
        case .isIn: return try contains(right, left)
        case .isNotIn: return !(try contains(right, left))
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            // Numbers that aren't numbers are in no order.
            if (left.number?.isNaN ?? false) || (right.number?.isNaN ?? false) { return false }
            switch comparison {
            case .less: return try isLess(left, than: right)
            case .greater: return try isLess(right, than: left)
            case .lessOrEqual: return !(try isLess(right, than: left))
            default: return !(try isLess(left, than: right))
            }
        }
    }

    /// Python's `in`.
    func contains(_ container: Value, _ value: Value) throws -> Bool {
        switch container {
        case .string(let text), .markup(let text):
            guard case .string(let part) = value.plain else {
                throw JinjaFailure("'in <string>' requires string as left operand, not \(value.typeName)")
            }
            try charge(text.utf8.count / 16)
            return StringSearch.first(part, in: text) != nil
        case .dictionary(let dictionary):
            try charge(value.weight)
            return try dictionary.value(value) != nil
        default:
            return try elements(of: container).contains { try isEqual($0, value) }
        }
    }

    // MARK: Attributes, items, slices

    /// `value.name`: Python's attribute if there is one, else the item.
    func attribute(_ name: String, of value: Value) throws -> Value {
        if let method = try Methods.attribute(name, of: value, self) { return method }
        return try item(.string(name), of: value, isAttribute: true)
    }

    /// `value[index]`: the item, else Python's attribute if the index is a string.
    func item(_ index: Value, of value: Value, isAttribute: Bool = false) throws -> Value {
        let index = index.plain
        switch value {
        case .undefined(let hint): throw JinjaFailure(hint)
        case .markup where index.integer != nil: return try item(index, of: value.plain).marked
        case .dictionary(let dictionary):
            try charge(index.weight)
            if index.isHashable, let found = try dictionary.value(index) { return found }
        case .sequence(let sequence) where sequence.isIndexed:
            if let position = index.integer {
                let offset = position < 0 ? position + sequence.values.count : position
                if sequence.values.indices.contains(offset) { return sequence.values[offset] }
            }
        case .string(let text):
            if let position = index.integer {
                try charge(text.utf8.count / 16)
                let scalars = text.unicodeScalars
                let start = position < 0 ? scalars.endIndex : scalars.startIndex
                let end = position < 0 ? scalars.startIndex : scalars.endIndex
                if let offset = scalars.index(start, offsetBy: position, limitedBy: end), offset != scalars.endIndex {
                    return .string(String(scalars[offset]))
                }
            }
        default: break
        }
        if !isAttribute, case .string(let name) = index, let method = try Methods.attribute(name, of: value, self) {
            return method
        }
        let named: String
        if case .string(let name) = index {
            named = "attribute '\(name)'"
        } else {
            named = "element \(try PythonText.repr(index, limit: 256))"
        }
        return .undefined("\(value.ownerName) has no \(named)")
    }

    private func slice(_ value: Value, _ start: Int?, _ stop: Int?, _ step: Int?) throws -> Value {
        switch value {
        case .markup: return try slice(value.plain, start, stop, step).marked
        case .string(let text):
            try charge(text.utf8.count / 16)
            let scalars = Array(text.unicodeScalars)
            var result = String.UnicodeScalarView()
            result.append(contentsOf: try Self.indices(scalars.count, start, stop, step).map { scalars[$0] })
            return .string(String(result))
        case .sequence(let sequence) where sequence.isIndexed:
            let kind = sequence.kind == .group ? .tuple : sequence.kind
            let values = try Self.indices(sequence.values.count, start, stop, step).map { sequence.values[$0] }
            return try checked(.sequence(Value.Sequence(kind, values)))
        case .undefined(let hint): throw JinjaFailure(hint)
        default: throw JinjaFailure("'\(value.typeName)' object is not subscriptable")
        }
    }

    /// The indices that Python's slice goes through.
    private static func indices(_ count: Int, _ start: Int?, _ stop: Int?, _ step: Int?) throws -> [Int] {
        let step = step ?? 1
        guard step != 0 else { throw JinjaFailure("slice step cannot be zero") }
        let (lowest, highest) = step > 0 ? (0, count) : (-1, count - 1)
        func clamped(_ bound: Int) -> Int { min(max(bound < 0 ? bound + count : bound, lowest), highest) }
        let first = start.map(clamped) ?? (step > 0 ? lowest : highest)
        let end = stop.map(clamped) ?? (step > 0 ? highest : lowest)
        // A longer step than the text ends after the first element.
        let bounded = min(max(step, -count - 1), count + 1)
        return Array(stride(from: first, to: end, by: bounded == 0 ? 1 : bounded))
    }
}
