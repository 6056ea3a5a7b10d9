/// A value in a template: Python's, as far as chat templates use them. Everything but namespaces is immutable, as in the
/// sandbox that templates are written for.
enum Value {
    /// What a missing name or attribute gives: nothing when printed, false, empty; an error when used.
    case undefined(String)
    case none
    case bool(Bool)
    case int(Int)
    case large(LargeInteger)
    case double(Double)
    case string(String)
    /// Text that `safe` or `escape` made: what is joined to it is escaped, as markupsafe does it.
    case markup(String)
    case sequence(Sequence)
    case dictionary(Dictionary)
    case namespace(Namespace)
    case generator(Generator)
    case loop(Loop)
    case function(Function)

    static func list(_ values: [Value]) -> Value { .sequence(Sequence(.list, values)) }
    static func tuple(_ values: [Value]) -> Value { .sequence(Sequence(.tuple, values)) }

    /// How many values stand within each other, counting this one: letting go of a value takes that much stack.
    var depth: Int {
        switch self {
        case .sequence(let sequence): sequence.depth
        case .dictionary(let dictionary): dictionary.depth
        case .generator(let generator): generator.depth
        case .loop(let loop): loop.depth
        case .function(let function): function.depth
        default: 1
        }
    }

    /// What comparing the value costs: values within it, each as often as it stands there, and lengths of texts.
    var weight: Int {
        switch self {
        case .string(let text), .markup(let text): 1 + text.utf8.count / 64
        case .sequence(let sequence): sequence.weight
        case .dictionary(let dictionary): dictionary.weight
        default: 1
        }
    }

    /// Weights can double with every step of a template, so they end here.
    static func sum(_ weights: some Swift.Sequence<Int>) -> Int {
        weights.reduce(1) { min($0 + $1, 1 << 40) }
    }
}

extension Value {
    /// Values in order.
    struct Sequence {
        enum Kind: Equatable {
            case list
            case tuple
            case range
            /// `dict.items()` and its like, which have no indices; the name is the Python type's.
            case view(String)
            /// A pair of `groupby`.
            case group
        }

        let kind: Kind
        let values: [Value]
        let depth: Int
        let weight: Int

        init(_ kind: Kind, _ values: [Value]) {
            self.kind = kind
            self.values = values
            depth = 1 + (values.lazy.map(\.depth).max() ?? 0)
            weight = Value.sum(values.lazy.map(\.weight))
        }

        /// Whether it has indices and slices.
        var isIndexed: Bool {
            if case .view = kind { false } else { true }
        }
    }

    /// Keys and values in the order they were added.
    struct Dictionary {
        private(set) var keys: [Value] = []
        private(set) var values: [Value] = []
        private var indices: [Key: Int] = [:]
        private(set) var depth = 1
        private(set) var weight = 1

        var count: Int { keys.count }
        var pairs: [Value] { zip(keys, values).map { .tuple([$0, $1]) } }

        subscript(name: String) -> Value? {
            indices[.string(Array(name.utf8))].map { values[$0] }
        }

        /// - Throws: `JinjaFailure` for a key that Python can't hash.
        func value(_ key: Value) throws -> Value? {
            indices[try Key(key)].map { values[$0] }
        }

        mutating func set(_ key: Value, _ value: Value) throws {
            let hash = try Key(key)
            weight = Value.sum([weight, key.weight, value.weight])
            depth = max(depth, 1 + key.depth, 1 + value.depth)
            if let index = indices[hash] {
                values[index] = value
            } else {
                indices[hash] = keys.count
                keys.append(key)
                values.append(value)
            }
        }
    }

    /// What a dictionary finds a value by: 1, 1.0 and true are one key, and text is compared by its scalars.
    enum Key: Hashable {
        case none
        case number(Double)
        case integer(Int)
        case large(LargeInteger)
        case string([UInt8])
        case tuple([Key])
        case object(ObjectIdentifier)

        init(_ value: Value) throws {
            guard value.weight < 1 << 20 else { throw JinjaFailure("an overlong key", kind: .limit) }
            switch value {
            case .undefined, .none: self = .none
            case .bool(let value): self = .integer(value ? 1 : 0)
            case .int(let value): self = .integer(value)
            case .large(let value): self = .large(value)
            case .double(let value):
                self =
                    Int(exactly: value).map(Key.integer) ?? LargeInteger(exactly: value).map(Key.large)
                    ?? .number(value)
            case .string(let text), .markup(let text): self = .string(Array(text.utf8))
            case .sequence(let sequence) where sequence.kind == .tuple || sequence.kind == .group:
                self = .tuple(try sequence.values.map(Key.init))
            case .namespace(let object): self = .object(ObjectIdentifier(object))
            case .generator(let object): self = .object(ObjectIdentifier(object))
            case .loop(let object): self = .object(ObjectIdentifier(object))
            case .function(let object): self = .object(ObjectIdentifier(object))
            case .sequence, .dictionary: throw JinjaFailure("unhashable type: '\(value.typeName)'")
            }
        }
    }

    /// `namespace(…)`: attributes that can be set, from inner scopes too.
    final class Namespace {
        var attributes: Dictionary

        init(_ attributes: Dictionary) {
            self.attributes = attributes
        }
    }

    /// What `map`, `select` and other filters give: values that can be gone through once, without length or indices.
    final class Generator {
        /// Gives the next value, nil after the last.
        typealias Step = (Interpreter) throws -> Value?

        private var step: Step
        let depth: Int

        init(_ values: [Value]) {
            step = Self.steps(through: values)
            depth = 1 + (values.lazy.map(\.depth).max() ?? 0)
        }

        /// Values made of another's elements, none of them before it is asked for: as in Python, what no one reads can't
        /// fail. A value that is false has no elements.
        ///
        /// - Parameter change: what to give for an element; nil to leave it out.
        init(over source: Value, _ change: @escaping (Interpreter, Value) throws -> Value?) {
            depth = 1 + source.depth
            var elements: Step?
            step = { interpreter in
                guard source.isTrue else { return nil }
                // Not stored again: an optional closure gets another layer each time that it is.
                if elements == nil { elements = try interpreter.iterator(over: source) }
                while let element = try elements?(interpreter) {
                    if let value = try change(interpreter, element) { return value }
                }
                return nil
            }
        }

        static func steps(through values: [Value]) -> Step {
            var index = 0
            return { _ in
                guard index < values.count else { return nil }
                defer { index += 1 }
                return values[index]
            }
        }

        func next(_ interpreter: Interpreter) throws -> Value? {
            try interpreter.charge()
            return try step(interpreter)
        }

        func rest(_ interpreter: Interpreter) throws -> [Value] {
            var values: [Value] = []
            while let value = try next(interpreter) { values.append(value) }
            return values
        }
    }

    /// The variable `loop`.
    final class Loop {
        let values: [Value]
        /// From 0: a loop that isn't within a recursive one has 0.
        let level: Int
        let depth: Int
        var index = 0
        /// What `loop.changed` saw last.
        var lastSeen: [Value]?
        /// Renders the loop over other values, in a recursive loop.
        var recurse: ((Value) throws -> Value)?

        init(_ values: [Value], level: Int) {
            self.values = values
            self.level = level
            depth = 1 + (values.lazy.map(\.depth).max() ?? 0)
        }
    }

    /// A macro, a method bound to its value, or a global function.
    final class Function {
        let name: String
        let depth: Int
        let call: (Interpreter, Arguments) throws -> Value

        init(_ name: String, depth: Int = 1, _ call: @escaping (Interpreter, Arguments) throws -> Value) {
            self.name = name
            self.depth = depth
            self.call = call
        }
    }
}

// MARK: - Python's view of values

extension Value {
    /// Marked text as mere text.
    var plain: Value {
        if case .markup(let text) = self { .string(text) } else { self }
    }

    /// Mere text as marked text.
    var marked: Value {
        if case .string(let text) = self { .markup(text) } else { self }
    }

    /// The Python type's name, for messages.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .int, .large: "int"
        case .double: "float"
        case .string: "str"
        case .markup: "Markup"
        case .sequence(let sequence):
            switch sequence.kind {
            case .list: "list"
            case .tuple: "tuple"
            case .range: "range"
            case .view(let name): name
            case .group: "_GroupTuple"
            }
        case .dictionary: "dict"
        case .namespace: "Namespace"
        case .generator: "generator"
        case .loop: "LoopContext"
        case .function: "function"
        }
    }

    /// As Jinja names a value that lacks an attribute.
    var ownerName: String {
        if case .none = self { "'None'" } else { "'\(typeName) object'" }
    }

    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .large: true
        case .double(let value): value != 0
        case .string(let text), .markup(let text): !text.isEmpty
        case .sequence(let sequence): !sequence.values.isEmpty
        case .dictionary(let dictionary): dictionary.count > 0
        case .namespace, .generator, .loop, .function: true
        }
    }

    /// The value of a number; booleans count.
    var number: Double? {
        switch self {
        case .bool(let value): value ? 1 : 0
        case .int(let value): Double(value)
        case .large(let value): value.double
        case .double(let value): value
        default: nil
        }
    }

    /// The value of an integer of at most 64 bits; booleans count.
    var integer: Int? {
        switch self {
        case .bool(let value): value ? 1 : 0
        case .int(let value): value
        default: nil
        }
    }

    /// Nil for what has no length.
    var length: Int? {
        switch self {
        case .undefined: 0
        case .string(let text), .markup(let text): text.unicodeScalars.count
        case .sequence(let sequence): sequence.values.count
        case .dictionary(let dictionary): dictionary.count
        case .loop(let loop): loop.values.count
        default: nil
        }
    }

    /// Python's `==`.
    func isEqual(to other: Value) -> Bool {
        switch (plain, other.plain) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.string(let left), .string(let right)): return left.utf8.elementsEqual(right.utf8)
        case (.sequence(let left), .sequence(let right)):
            func kind(_ kind: Sequence.Kind) -> Sequence.Kind { kind == .group ? .tuple : kind }
            return kind(left.kind) == kind(right.kind) && left.values.count == right.values.count
                && zip(left.values, right.values).allSatisfy { $0.isEqual(to: $1) }
        case (.dictionary(let left), .dictionary(let right)):
            guard left.count == right.count else { return false }
            return zip(left.keys, left.values).allSatisfy { key, value in
                ((try? right.value(key)) ?? nil)?.isEqual(to: value) ?? false
            }
        case (.large(let left), .large(let right)): return left == right
        case (.large(let left), .double(let right)), (.double(let right), .large(let left)):
            return LargeInteger(exactly: right) == left
        case (.namespace(let left), .namespace(let right)): return left === right
        case (.generator(let left), .generator(let right)): return left === right
        case (.loop(let left), .loop(let right)): return left === right
        case (.function(let left), .function(let right)): return left === right
        default:
            if let left = integer, let right = other.integer { return left == right }
            // An integer that no double holds equals none.
            if let left = integer, case .double(let right) = other { return Int(exactly: right) == left }
            if case .double(let left) = self, let right = other.integer { return Int(exactly: left) == right }
            if case .double(let left) = self, case .double(let right) = other { return left == right }
            return false
        }
    }

    /// Whether Python could find it in a dictionary.
    var isHashable: Bool {
        switch self {
        case .sequence(let sequence):
            (sequence.kind == .tuple || sequence.kind == .group) && sequence.values.allSatisfy(\.isHashable)
        case .dictionary: false
        default: true
        }
    }

    /// Python's `<`.
    func isLess(than other: Value) throws -> Bool {
        if let left = integer, let right = other.integer { return left < right }
        if let isLess = isLessAsLarge(than: other) { return isLess }
        if let left = number, let right = other.number { return left < right }
        switch (plain, other.plain) {
        case (.string(let left), .string(let right)): return left.utf8.lexicographicallyPrecedes(right.utf8)
        case (.sequence(let left), .sequence(let right)) where left.kind == right.kind && left.isIndexed:
            for (a, b) in zip(left.values, right.values) where !a.isEqual(to: b) { return try a.isLess(than: b) }
            return left.values.count < right.values.count
        case (.undefined(let hint), _), (_, .undefined(let hint)): throw JinjaFailure(hint)
        default: throw JinjaFailure("'\(typeName)' and '\(other.typeName)' have no order")
        }
    }
}
