extension Filters {
    static let values: [String: Filter] = {
        var filters: [String: Filter] = [
            "attr": { interpreter, value, arguments in
                let name = try interpreter.text(try arguments.bound(to: ["name"], of: "attr").required("name"))
                return try Methods.attribute(name, of: value, interpreter)
                    ?? .undefined("\(value.ownerName) has no attribute '\(name)'")
            },
            "batch": { interpreter, value, arguments in
                let bound = try arguments.bound(to: ["linecount", "fill_with"], of: "batch")
                guard let size = try bound.integer("linecount") else {
                    throw JinjaFailure("batch takes a number of elements")
                }
                var batches: [Value] = []
                var batch: [Value] = []
                for element in try elements(interpreter, value) {
                    if batch.count == size {
                        batches.append(.list(batch))
                        batch = []
                    }
                    batch.append(element)
                }
                if let fill = bound["fill_with"], fill.isFill, !batch.isEmpty, batch.count < size {
                    try interpreter.charge(size)
                    batch += Array(repeating: fill, count: size - batch.count)
                }
                if !batch.isEmpty { batches.append(.list(batch)) }
                return .generator(Value.Generator(batches))
            },
            "slice": { interpreter, value, arguments in
                let bound = try arguments.bound(to: ["slices", "fill_with"], of: "slice")
                guard let count = try bound.integer("slices"), count > 0 else {
                    throw JinjaFailure("slice takes a positive number")
                }
                try interpreter.charge(count)
                let elements = try elements(interpreter, value)
                let (size, longer) = elements.count.quotientAndRemainder(dividingBy: count)
                var start = 0
                let slices = (0..<count).map { index in
                    var slice = Array(elements[start..<start + size + (index < longer ? 1 : 0)])
                    start += slice.count
                    if let fill = bound["fill_with"], fill.isFill, index >= longer, longer > 0 { slice.append(fill) }
                    return Value.list(slice)
                }
                return .generator(Value.Generator(slices))
            },
            "default": fallback,
            "d": fallback,
            "dictsort": { interpreter, value, arguments in
                let bound = try arguments.bound(to: ["case_sensitive", "by", "reverse"], of: "dictsort")
                guard case .dictionary(let dictionary) = value else { throw wrongType("dictsort", value) }
                let by = try bound.string("by") ?? "key"
                guard by == "key" || by == "value" else {
                    throw JinjaFailure("you can only sort by either 'key' or 'value'")
                }
                return .list(
                    try interpreter.sorted(
                        dictionary.pairs,
                        by: { pair in
                            guard case .sequence(let pair) = pair else { return .none }
                            return try folded(
                                interpreter, pair.values[by == "key" ? 0 : 1], bound.flag("case_sensitive"))
                        }, isReversed: bound.flag("reverse")))
            },
            "first": { interpreter, value, _ in
                if case .generator(let generator) = value { return try generator.next(interpreter) ?? noFirst }
                return try elements(interpreter, value).first ?? noFirst
            },
            "last": { interpreter, value, _ in
                if case .generator = value { throw wrongType("last", value) }
                return try elements(interpreter, value).last
                    ?? .undefined("No last item, sequence was empty.")
            },
            "groupby": { interpreter, value, arguments in
                let bound = try arguments.bound(to: ["attribute", "default", "case_sensitive"], of: "groupby")
                let attribute = try path(try bound.required("attribute"))
                let isCaseSensitive = bound.flag("case_sensitive")
                func key(_ value: Value) throws -> Value {
                    try interpreter.follow(attribute, from: value, default: bound["default"])
                }
                let values = try interpreter.sorted(
                    try elements(interpreter, value), by: { try folded(interpreter, try key($0), isCaseSensitive) },
                    isReversed: false)
                var groups: [(key: Value, values: [Value])] = []
                for value in values {
                    let current = try key(value)
                    let last = groups.last?.key
                    if let last,
                        try interpreter.isEqual(
                            try folded(interpreter, last, isCaseSensitive),
                            try folded(interpreter, current, isCaseSensitive))
                    {
                        groups[groups.count - 1].values.append(value)
                    } else {
                        groups.append((current, [value]))
                    }
                }
                return .list(groups.map { .sequence(Value.Sequence(.group, [$0.key, .list($0.values)])) })
            },
            "items": { interpreter, value, _ in
                switch value {
                case .undefined: return .generator(Value.Generator([]))
                case .dictionary(let dictionary): return .generator(Value.Generator(dictionary.pairs))
                default: throw JinjaFailure("can only get item pairs from a mapping")
                }
            },
            "join": { interpreter, value, arguments in
                let bound = try arguments.bound(to: ["d", "attribute"], of: "join")
                let attribute = try path(bound["attribute"])
                let pieces = try elements(interpreter, value).map {
                    try interpreter.text(try interpreter.follow(attribute, from: $0))
                }
                return .string(
                    try interpreter.joined(pieces, separator: try bound["d"].map { try interpreter.text($0) } ?? ""))
            },
            "length": length,
            "count": length,
            "list": { interpreter, value, _ in .list(try elements(interpreter, value)) },
            "reverse": { interpreter, value, _ in
                if case .string(let text) = value { return .string(PythonString.reversed(text)) }
                return .generator(Value.Generator(try elements(interpreter, value).reversed()))
            },
            "sort": { interpreter, value, arguments in
                let bound = try arguments.bound(to: ["reverse", "case_sensitive", "attribute"], of: "sort")
                var paths: [[Value]] = [[]]
                if case .string(let names) = bound["attribute"] {
                    paths = try StringSearch.split(names, by: ",").map { try path(.string($0)) }
                } else if let attribute = bound["attribute"] {
                    paths = [try path(attribute)]
                }
                return .list(
                    try interpreter.sorted(
                        try elements(interpreter, value),
                        by: { value in
                            .list(
                                try paths.map {
                                    try folded(
                                        interpreter, try interpreter.follow($0, from: value),
                                        bound.flag("case_sensitive"))
                                })
                        }, isReversed: bound.flag("reverse")))
            },
            "unique": { interpreter, value, arguments in
                let bound = try arguments.bound(to: ["case_sensitive", "attribute"], of: "unique")
                let attribute = try path(bound["attribute"])
                var seen = Value.Dictionary()
                let unique = try elements(interpreter, value).filter { element in
                    let key = try folded(
                        interpreter, try interpreter.follow(attribute, from: element), bound.flag("case_sensitive"))
                    try interpreter.charge(key.weight)
                    guard try seen.value(key) == nil else { return false }
                    try seen.set(key, .none)
                    return true
                }
                return .generator(Value.Generator(unique))
            },
            "max": extreme("max") { try $0.isLess($2, than: $1) },
            "min": extreme("min") { try $0.isLess($1, than: $2) },
            "map": { _, value, arguments in
                guard let first = arguments.positional.first else {
                    return .generator(
                        Value.Generator(over: value) { interpreter, element in
                            let bound = try arguments.bound(to: ["attribute", "default"], of: "map")
                            let attribute = try path(try bound.required("attribute"))
                            return try interpreter.follow(attribute, from: element, default: bound["default"])
                        })
                }
                let rest = arguments.dropping(1)
                return .generator(
                    Value.Generator(over: value) { interpreter, element in
                        guard case .string(let name) = first else {
                            throw JinjaFailure("map takes the name of a filter")
                        }
                        return try interpreter.filter(name, element, rest)
                    })
            },
        ]
        for (name, keeps, byAttribute) in [
            ("select", true, false), ("reject", false, false), ("selectattr", true, true), ("rejectattr", false, true),
        ] {
            filters[name] = { _, value, arguments in
                let attribute = byAttribute ? arguments.positional.first : .some(.none)
                let rest = byAttribute ? arguments.dropping(1) : arguments
                return .generator(
                    Value.Generator(over: value) { interpreter, element in
                        guard let attribute else { throw JinjaFailure("\(name) takes the name of an attribute") }
                        let value = try interpreter.follow(try path(attribute), from: element)
                        guard let test = rest.positional.first else { return value.isTrue == keeps ? element : nil }
                        guard case .string(let testName) = test else {
                            throw JinjaFailure("\(name) takes the name of a test")
                        }
                        return try interpreter.test(testName, value, rest.dropping(1)) == keeps ? element : nil
                    })
            }
        }
        return filters
    }()

    private static var noFirst: Value { .undefined("No first item, sequence was empty.") }

    private static let fallback: Filter = { _, value, arguments in
        let bound = try arguments.bound(to: ["default_value", "boolean"], of: "default")
        if case .undefined = value { return bound["default_value"] ?? .string("") }
        return bound.flag("boolean") && !value.isTrue ? bound["default_value"] ?? .string("") : value
    }

    private static let length: Filter = { _, value, _ in
        guard let length = value.length else {
            throw JinjaFailure("object of type '\(value.typeName)' has no len()")
        }
        return .int(length)
    }

    private static func extreme(
        _ name: String, _ precedes: @escaping @Sendable (Interpreter, Value, Value) throws -> Bool
    ) -> Filter {
        { interpreter, value, arguments in
            let bound = try arguments.bound(to: ["case_sensitive", "attribute"], of: name)
            let attribute = try path(bound["attribute"])
            var best: (value: Value, key: Value)?
            for element in try elements(interpreter, value) {
                let key = try folded(
                    interpreter, try interpreter.follow(attribute, from: element), bound.flag("case_sensitive"))
                if let current = best, !(try precedes(interpreter, key, current.key)) { continue }
                best = (element, key)
            }
            return best?.value ?? .undefined("No aggregated item, sequence was empty.")
        }
    }
}

extension Value {
    /// Whether `batch` and `slice` fill up with it.
    fileprivate var isFill: Bool { if case .none = self { false } else { true } }
}
