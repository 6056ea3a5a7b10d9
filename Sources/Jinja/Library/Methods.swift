/// Attributes of values: methods of Python's types, the loop's variables, a namespace's values.
enum Methods {
    private typealias StringMethod = @Sendable (Interpreter, String, Arguments) throws -> Value
    private typealias ValuesMethod = @Sendable (Interpreter, [Value], Arguments) throws -> Value
    private typealias DictionaryMethod = @Sendable (Interpreter, Value.Dictionary, Arguments) throws -> Value

    /// Nil if Python's value has no such attribute.
    static func attribute(_ name: String, of value: Value, _ interpreter: Interpreter) throws -> Value? {
        if case .undefined = value { return nil }
        if name.hasPrefix("__") { return unsafe(name, value) }
        switch value {
        case .string(let text):
            guard let method = strings[name] else { return nil }
            return bound(name, to: value) { try method($0, text, $1.plain) }
        case .sequence(let sequence):
            if sequence.kind == .list, changing.list.contains(name) { return unsafe(name, value) }
            if sequence.kind == .group, name == "grouper" { return sequence.values[0] }
            if sequence.kind == .group, name == "list" { return sequence.values[1] }
            guard sequence.isIndexed, let method = sequences[name] else { return nil }
            if name == "copy", sequence.kind != .list { return nil }
            return bound(name, to: value) { try method($0, sequence.values, $1) }
        case .dictionary(let dictionary):
            if changing.dictionary.contains(name) { return unsafe(name, value) }
            guard let method = dictionaries[name] else { return nil }
            return bound(name, to: value) { try method($0, dictionary, $1) }
        case .namespace(let namespace):
            // The sandbox hides names with an underscore.
            return name.hasPrefix("_") ? unsafe(name, value) : namespace.attributes[name]
        case .loop(let loop): return attribute(name, of: loop)
        case .function(let function): return name == "name" ? .string(function.name) : nil
        case .markup(let text):
            guard let method = strings[name] else { return nil }
            return bound(name, to: value) {
                let result = try method($0, text, $1.plain)
                guard case .sequence(let pieces) = result else { return result.marked }
                return .sequence(Value.Sequence(pieces.kind, pieces.values.map(\.marked)))
            }
        case .undefined, .none, .bool, .int, .large, .double, .generator: return nil
        }
    }

    /// Values can't be changed in place, and Python's own workings can't be reached.
    private static func unsafe(_ name: String, _ value: Value) -> Value {
        .undefined("access to attribute '\(name)' of '\(value.typeName)' object is unsafe")
    }

    private static let changing = (
        list: Set(["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"]),
        dictionary: Set(["clear", "pop", "popitem", "setdefault", "update"])
    )

    private static func bound(
        _ name: String, to value: Value, _ call: @escaping (Interpreter, Arguments) throws -> Value
    ) -> Value {
        .function(Value.Function(name, depth: 1 + value.depth, call))
    }

    // MARK: The loop

    private static func attribute(_ name: String, of loop: Value.Loop) -> Value? {
        let count = loop.values.count
        switch name {
        case "index": return .int(loop.index + 1)
        case "index0": return .int(loop.index)
        case "revindex": return .int(count - loop.index)
        case "revindex0": return .int(count - loop.index - 1)
        case "first": return .bool(loop.index == 0)
        case "last": return .bool(loop.index == count - 1)
        case "length": return .int(count)
        case "depth": return .int(loop.level + 1)
        case "depth0": return .int(loop.level)
        case "previtem": return loop.index > 0 ? loop.values[loop.index - 1] : .undefined("there is no previous item")
        case "nextitem":
            return loop.index + 1 < count ? loop.values[loop.index + 1] : .undefined("there is no next item")
        case "cycle":
            return bound(name, to: .loop(loop)) { _, arguments in
                guard !arguments.positional.isEmpty else { throw JinjaFailure("no items for cycling given") }
                return arguments.positional[loop.index % arguments.positional.count]
            }
        case "changed":
            return bound(name, to: .loop(loop)) { interpreter, arguments in
                let values = arguments.positional
                let isSame = try loop.lastSeen.map { try interpreter.isEqual(.tuple($0), .tuple(values)) } ?? false
                loop.lastSeen = values
                return .bool(!isSame)
            }
        default: return nil
        }
    }

    // MARK: Dictionaries, lists and tuples

    private static let dictionaries: [String: DictionaryMethod] = [
        "get": { _, dictionary, arguments in
            guard arguments.named.isEmpty else { throw JinjaFailure("get() takes no keyword arguments") }
            let bound = try arguments.bound(to: ["key", "default"], of: "get")
            return try dictionary.value(try bound.required("key")) ?? bound["default"] ?? .none
        },
        "items": { try view("dict_items", $1.pairs, $2) },
        "keys": { try view("dict_keys", $1.keys, $2) },
        "values": { try view("dict_values", $1.values, $2) },
        "copy": { _, dictionary, arguments in
            _ = try arguments.bound(to: [], of: "copy")
            return .dictionary(dictionary)
        },
    ]

    private static func view(_ type: String, _ values: [Value], _ arguments: Arguments) throws -> Value {
        _ = try arguments.bound(to: [], of: type)
        return .sequence(Value.Sequence(.view(type), values))
    }

    private static let sequences: [String: ValuesMethod] = [
        "count": { interpreter, values, arguments in
            let value = try arguments.bound(to: ["value"], of: "count").required("value")
            return .int(try values.reduce(0) { try $0 + (interpreter.isEqual($1, value) ? 1 : 0) })
        },
        "index": { interpreter, values, arguments in
            let value = try arguments.bound(to: ["value"], of: "index").required("value")
            guard let index = try values.firstIndex(where: { try interpreter.isEqual($0, value) }) else {
                throw JinjaFailure("the value is not in the list")
            }
            return .int(index)
        },
        "copy": { _, values, arguments in
            _ = try arguments.bound(to: [], of: "copy")
            return .list(values)
        },
    ]

    // MARK: Text

    private static let strings: [String: StringMethod] = [
        "capitalize": plain { PythonString.capitalized($0) },
        "casefold": plain(PythonString.caseFolded),
        "lower": plain(PythonString.lowered),
        "upper": plain { $0.uppercased() },
        "title": plain { PythonString.titled($0) },
        "swapcase": plain { PythonString.caseSwapped($0) },
        "isalnum": all { PythonString.isLetter($0) || PythonString.isNumeric($0) },
        "isalpha": all(PythonString.isLetter),
        "isascii": { _, text, _ in .bool(text.utf8.allSatisfy { $0 < 0x80 }) },
        "isdecimal": all { $0.properties.numericType == .decimal },
        "isdigit": all(PythonString.isDigit),
        "isnumeric": all(PythonString.isNumeric),
        "isspace": all(PythonString.isSpace),
        "isidentifier": { _, text, _ in .bool(PythonString.isIdentifier(text)) },
        "isprintable": { _, text, _ in .bool(text.unicodeScalars.allSatisfy(PythonText.isPrintable)) },
        "islower": { _, text, _ in .bool(PythonString.isCased(text, lower: true)) },
        "isupper": { _, text, _ in .bool(PythonString.isCased(text, lower: false)) },
        "istitle": { _, text, _ in .bool(PythonString.isTitle(text)) },
        "strip": stripping(.both),
        "lstrip": stripping(.left),
        "rstrip": stripping(.right),
        "center": padding("center", .both),
        "ljust": padding("ljust", .left),
        "rjust": padding("rjust", .right),
        "zfill": { interpreter, text, arguments in
            let width = max(0, try arguments.bound(to: ["width"], of: "zfill").integer("width") ?? 0)
            try interpreter.checkLength(width)
            let sign = text.unicodeScalars.first.map { $0 == "+" || $0 == "-" } ?? false ? 1 : 0
            let (head, tail) = (text.unicodeScalars.prefix(sign), text.unicodeScalars.dropFirst(sign))
            return .string(String(head) + PythonString.padded(String(tail), to: width - sign, with: "0", .right))
        },
        "startswith": { try affixed($0, $1, $2, of: "startswith") { $0.utf8.starts(with: $1.utf8) } },
        "endswith": {
            try affixed($0, $1, $2, of: "endswith") { $0.utf8.reversed().starts(with: $1.utf8.reversed()) }
        },
        "removeprefix": { _, text, arguments in
            let prefix = try onlyText(arguments, "prefix", of: "removeprefix")
            guard text.utf8.starts(with: prefix.utf8) else { return .string(text) }
            return .string(String(decoding: text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
        },
        "removesuffix": { _, text, arguments in
            let suffix = try onlyText(arguments, "suffix", of: "removesuffix")
            guard text.utf8.reversed().starts(with: suffix.utf8.reversed()) else { return .string(text) }
            return .string(String(decoding: text.utf8.dropLast(suffix.utf8.count), as: UTF8.self))
        },
        "find": { interpreter, text, arguments in
            .int(try position(interpreter, text, arguments, of: "find", fromRight: false) ?? -1)
        },
        "rfind": { interpreter, text, arguments in
            .int(try position(interpreter, text, arguments, of: "rfind", fromRight: true) ?? -1)
        },
        "index": { interpreter, text, arguments in
            .int(try found(position(interpreter, text, arguments, of: "index", fromRight: false)))
        },
        "rindex": { interpreter, text, arguments in
            .int(try found(position(interpreter, text, arguments, of: "rindex", fromRight: true)))
        },
        "count": { interpreter, text, arguments in
            let bound = try arguments.bound(to: ["sub", "start", "end"], of: "count")
            let part = try string(try bound.required("sub"), of: "count")
            guard let window = try window(interpreter, text, bound) else { return .int(0) }
            let count =
                part.isEmpty ? window.text.unicodeScalars.count + 1 : StringSearch.all(part, in: window.text).count
            return .int(count)
        },
        "replace": { interpreter, text, arguments in
            let bound = try arguments.bound(to: ["old", "new", "count"], of: "replace")
            let old = try string(try bound.required("old"), of: "replace")
            let new = try string(try bound.required("new"), of: "replace")
            let count = try bound.integer("count") ?? -1
            return .string(
                try PythonString.replaced(
                    text, old, with: new, count: count < 0 ? .max : count, limit: interpreter.limits.textBytes))
        },
        "split": { try split($0, $1, $2, fromRight: false) },
        "rsplit": { try split($0, $1, $2, fromRight: true) },
        "splitlines": { interpreter, text, arguments in
            let bound = try arguments.bound(to: ["keepends"], of: "splitlines")
            try interpreter.charge(text.utf8.count)
            return .list(PythonString.lines(text, keepsEnds: bound.flag("keepends")).map(Value.string))
        },
        "expandtabs": { interpreter, text, arguments in
            let size = try arguments.bound(to: ["tabsize"], of: "expandtabs").integer("tabsize") ?? 8
            try interpreter.checkLength(size)
            return .string(try PythonString.withoutTabs(text, size: size, limit: interpreter.limits.textBytes))
        },
        "partition": { try partition($0, $1, $2, fromRight: false) },
        "rpartition": { try partition($0, $1, $2, fromRight: true) },
        "join": { interpreter, text, arguments in
            let values = try interpreter.elements(
                of: try arguments.bound(to: ["iterable"], of: "join").required("iterable"))
            return .string(try interpreter.joined(try values.map { try string($0, of: "join") }, separator: text))
        },
        "format": { interpreter, text, arguments in
            .string(try BraceFormat.text(text, arguments, interpreter))
        },
        "format_map": { interpreter, text, arguments in
            guard
                case .dictionary(let values) = try arguments.bound(to: ["mapping"], of: "format_map").required(
                    "mapping")
            else { throw JinjaFailure("format_map() takes a dictionary") }
            var named = Arguments()
            for (key, value) in zip(values.keys, values.values) {
                if case .string(let name) = key { named.named.append((name, value)) }
            }
            return .string(try BraceFormat.text(text, named, interpreter))
        },
    ]

    private static func plain(_ change: @escaping @Sendable (String) -> String) -> StringMethod {
        { interpreter, text, arguments in
            _ = try arguments.bound(to: [], of: "the method")
            return .string(try interpreter.checked(change(text)))
        }
    }

    private static func all(_ isKind: @escaping @Sendable (Unicode.Scalar) -> Bool) -> StringMethod {
        { interpreter, text, _ in
            try interpreter.charge(text.utf8.count / 16)
            return .bool(!text.isEmpty && text.unicodeScalars.allSatisfy(isKind))
        }
    }

    private static func stripping(_ ends: PythonString.Ends) -> StringMethod {
        { interpreter, text, arguments in
            let characters = try arguments.bound(to: ["chars"], of: "strip").string("chars")
            return .string(try interpreter.checked(PythonString.stripped(text, of: characters, at: ends)))
        }
    }

    private static func padding(_ name: String, _ ends: PythonString.Ends) -> StringMethod {
        { interpreter, text, arguments in
            let bound = try arguments.bound(to: ["width", "fillchar"], of: name)
            let width = try bound.integer("width") ?? 0
            try interpreter.checkLength(width)
            let fill = try bound.string("fillchar") ?? " "
            guard let scalar = fill.unicodeScalars.first, fill.unicodeScalars.count == 1 else {
                throw JinjaFailure("the fill character must be exactly one character long")
            }
            return .string(PythonString.padded(text, to: width, with: scalar, ends))
        }
    }

    private static func string(_ value: Value, of method: String) throws -> String {
        if case .string(let text) = value { return text }
        if case .undefined(let hint) = value { throw JinjaFailure(hint) }
        throw JinjaFailure("\(method)() takes text, not \(value.typeName)")
    }

    private static func onlyText(_ arguments: Arguments, _ name: String, of method: String) throws -> String {
        try string(try arguments.bound(to: [name], of: method).required(name), of: method)
    }

    /// The part of the text from `start` to `end`, and how many scalars precede it; nil if `start` is past the end.
    private static func window(
        _ interpreter: Interpreter, _ text: String, _ bound: BoundArguments
    ) throws -> (text: String, offset: Int)? {
        try interpreter.charge(text.utf8.count / 16)
        let (start, end) = (try bound.integer("start"), try bound.integer("end"))
        guard start != nil || end != nil else { return (text, 0) }
        let count = text.unicodeScalars.count
        func clamped(_ index: Int) -> Int { max(0, index < 0 ? index + count : index) }
        let first = clamped(start ?? 0)
        let last = min(count, clamped(end ?? count))
        guard first <= last else { return nil }
        return (String(text.unicodeScalars.prefix(last).dropFirst(first)), first)
    }

    private static func position(
        _ interpreter: Interpreter, _ text: String, _ arguments: Arguments, of method: String, fromRight: Bool
    ) throws -> Int? {
        let bound = try arguments.bound(to: ["sub", "start", "end"], of: method)
        let part = try string(try bound.required("sub"), of: method)
        guard let window = try window(interpreter, text, bound) else { return nil }
        if fromRight {
            let place = StringSearch.first(PythonString.reversed(part), in: PythonString.reversed(window.text))
            guard let place else { return nil }
            let after = PythonString.reversed(window.text).utf8.prefix(place)
            let following = String(decoding: after, as: UTF8.self).unicodeScalars.count
            return window.offset + window.text.unicodeScalars.count - following - part.unicodeScalars.count
        }
        guard let place = StringSearch.first(part, in: window.text) else { return nil }
        return window.offset + String(decoding: window.text.utf8.prefix(place), as: UTF8.self).unicodeScalars.count
    }

    private static func found(_ position: Int?) throws -> Int {
        guard let position else { throw JinjaFailure("substring not found") }
        return position
    }

    private static func affixed(
        _ interpreter: Interpreter, _ text: String, _ arguments: Arguments, of method: String,
        _ matches: (String, String) -> Bool
    ) throws -> Value {
        let bound = try arguments.bound(to: ["affix", "start", "end"], of: method)
        let affix = try bound.required("affix")
        guard let window = try window(interpreter, text, bound) else { return .bool(false) }
        if case .sequence(let choices) = affix, choices.kind == .tuple {
            return .bool(try choices.values.contains { matches(window.text, try string($0, of: method)) })
        }
        return .bool(matches(window.text, try string(affix, of: method)))
    }

    private static func split(
        _ interpreter: Interpreter, _ text: String, _ arguments: Arguments, fromRight: Bool
    ) throws -> Value {
        let bound = try arguments.bound(to: ["sep", "maxsplit"], of: "split")
        let limit = try bound.integer("maxsplit").map { $0 < 0 ? .max : $0 } ?? .max
        try interpreter.charge(text.utf8.count)
        guard let separator = try bound.string("sep") else {
            return .list(PythonString.words(text, limit: limit, fromRight: fromRight).map(Value.string))
        }
        guard !separator.isEmpty else { throw JinjaFailure("empty separator") }
        let pieces =
            fromRight
            ? PythonString.splitFromRight(text, by: separator, limit: limit)
            : StringSearch.split(text, by: separator, limit: limit)
        return .list(pieces.map(Value.string))
    }

    private static func partition(
        _ interpreter: Interpreter, _ text: String, _ arguments: Arguments, fromRight: Bool
    ) throws -> Value {
        let separator = try onlyText(arguments, "sep", of: "partition")
        try interpreter.charge(text.utf8.count / 16)
        guard !separator.isEmpty else { throw JinjaFailure("empty separator") }
        let pieces =
            fromRight
            ? PythonString.splitFromRight(text, by: separator, limit: 1)
            : StringSearch.split(text, by: separator, limit: 1)
        let parts: [String]
        if pieces.count == 2 {
            parts = [pieces[0], separator, pieces[1]]
        } else {
            parts = fromRight ? ["", "", text] : [text, "", ""]
        }
        return .tuple(parts.map(Value.string))
    }
}

extension Interpreter {
    /// - Throws: `JinjaFailure` (limit) for a text that would have more characters than allowed.
    func checkLength(_ count: Int) throws {
        guard count <= limits.textBytes else { throw JinjaFailure.textLimit(limits.textBytes) }
        try charge(max(0, count) / 16)
    }

    func joined(_ pieces: [String], separator: String) throws -> String {
        // The separator may be long and the pieces many.
        let separators = separator.utf8.count.multipliedReportingOverflow(by: max(0, pieces.count - 1))
        let bytes = pieces.reduce(0) { $0 + $1.utf8.count }
        guard !separators.overflow, separators.partialValue <= limits.textBytes - min(bytes, limits.textBytes),
            bytes <= limits.textBytes
        else { throw JinjaFailure.textLimit(limits.textBytes) }
        return try checked(pieces.joined(separator: separator))
    }
}
