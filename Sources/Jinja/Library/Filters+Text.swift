extension Filters {
    static let text: [String: Filter] = [
        "string": { interpreter, value, _ in .string(try interpreter.text(value)) },
        "safe": { interpreter, value, _ in .markup(try interpreter.text(value)) },
        "lower": { interpreter, value, _ in .string(PythonString.lowered(try interpreter.text(value))) },
        "upper": { interpreter, value, _ in .string(try interpreter.text(value).uppercased()) },
        "capitalize": { interpreter, value, _ in .string(PythonString.capitalized(try interpreter.text(value))) },
        "title": { interpreter, value, _ in
            var result = ""
            var isStart = true
            for scalar in try interpreter.text(value).unicodeScalars {
                let isBreak = scalar == "-" || "({[<".unicodeScalars.contains(scalar) || PythonString.isSpace(scalar)
                result += isStart ? scalar.properties.uppercaseMapping : scalar.properties.lowercaseMapping
                isStart = isBreak
            }
            return .string(result)
        },
        "trim": { interpreter, value, arguments in
            let characters = try arguments.bound(to: ["chars"], of: "trim").string("chars")
            return .string(PythonString.stripped(try interpreter.text(value), of: characters, at: .both))
        },
        "center": { interpreter, value, arguments in
            let width = try arguments.bound(to: ["width"], of: "center").integer("width") ?? 80
            try interpreter.checkLength(width)
            return .string(PythonString.padded(try interpreter.text(value), to: width, with: " ", .both))
        },
        "replace": { interpreter, value, arguments in
            let bound = try arguments.bound(to: ["old", "new", "count"], of: "replace")
            let old = try interpreter.text(try bound.required("old"))
            let new = try interpreter.text(try bound.required("new"))
            let count = try bound.integer("count") ?? -1
            return .string(
                try PythonString.replaced(
                    try interpreter.text(value), old, with: new, count: count < 0 ? .max : count,
                    limit: interpreter.limits.textBytes))
        },
        "format": { interpreter, value, arguments in
            guard arguments.named.isEmpty || arguments.positional.isEmpty else {
                throw JinjaFailure("can't handle positional and keyword arguments at the same time")
            }
            var named = Value.Dictionary()
            for (name, value) in arguments.named { try named.set(.string(name), value) }
            let values: Value = arguments.named.isEmpty ? .tuple(arguments.positional) : .dictionary(named)
            return .string(try PercentFormat.text(try interpreter.text(value), values, interpreter))
        },
        "indent": { interpreter, value, arguments in
            let bound = try arguments.bound(to: ["width", "first", "blank"], of: "indent")
            let indentation: String
            if case .string(let text) = bound["width"] {
                indentation = text
            } else {
                let width = try bound.integer("width") ?? 4
                try interpreter.checkLength(width)
                indentation = String(repeating: " ", count: max(0, width))
            }
            var lines = PythonString.lines(try interpreter.text(value) + "\n")
            let blank = bound.flag("blank")
            try interpreter.charge(lines.count * (1 + indentation.utf8.count / 16))
            let isFirst = bound.flag("first")
            for index in lines.indices where index == 0 ? isFirst : blank || !lines[index].isEmpty {
                lines[index] = indentation + lines[index]
            }
            return .string(try interpreter.joined(lines, separator: "\n"))
        },
        "truncate": { interpreter, value, arguments in
            let bound = try arguments.bound(to: ["length", "killwords", "end", "leeway"], of: "truncate")
            let length = try bound.integer("length") ?? 255
            let end = try bound.string("end") ?? "..."
            let leeway = try bound.integer("leeway") ?? 5
            let text = try interpreter.text(value)
            guard length >= end.unicodeScalars.count, leeway >= 0 else {
                throw JinjaFailure("expected length >= \(end.unicodeScalars.count) and leeway >= 0")
            }
            guard text.unicodeScalars.count - length > leeway else { return .string(text) }
            let cut = String(text.unicodeScalars.prefix(length - end.unicodeScalars.count))
            let kept = bound.flag("killwords") ? cut : PythonString.splitFromRight(cut, by: " ", limit: 1)[0]
            return .string(kept + end)
        },
        "wordcount": { interpreter, value, _ in
            var (count, isWithinWord) = (0, false)
            for scalar in try interpreter.text(value).unicodeScalars {
                let isWord = PythonString.isLetter(scalar) || PythonString.isNumeric(scalar) || scalar == "_"
                if isWord, !isWithinWord { count += 1 }
                isWithinWord = isWord
            }
            return .int(count)
        },
        "escape": { interpreter, value, _ in .markup(try escaped(value, interpreter)) },
        "e": { interpreter, value, _ in .markup(try escaped(value, interpreter)) },
        "forceescape": { interpreter, value, _ in .markup(try escaped(value.plain, interpreter)) },
        "urlencode": { interpreter, value, _ in
            switch value {
            case .dictionary(let dictionary): return .string(try query(interpreter, dictionary.pairs))
            case .sequence, .generator: return .string(try query(interpreter, try elements(interpreter, value)))
            default: return .string(percentEncoded(try interpreter.text(value), keeping: "/"))
            }
        },
        "tojson": { interpreter, value, arguments in
            let bound = try arguments.bound(
                to: ["ensure_ascii", "indent", "separators", "sort_keys"], of: "tojson")
            var indent: String?
            switch bound["indent"] {
            case nil, .some(.none): break
            case .string(let text): indent = text
            default:
                let width = try bound.integer("indent") ?? 0
                try interpreter.checkLength(width)
                indent = String(repeating: " ", count: max(0, width))
            }
            var separators: (String, String)?
            if let given = bound["separators"], given.isTrue {
                guard case .sequence(let pair) = given, pair.values.count == 2 else {
                    throw JinjaFailure("separators are a pair of texts")
                }
                separators = (try interpreter.text(pair.values[0]), try interpreter.text(pair.values[1]))
            }
            var json = PythonJSON(
                indent: indent, separators: separators, escapesNonASCII: bound.flag("ensure_ascii"),
                sortsKeys: bound.flag("sort_keys"), limit: interpreter.limits.textBytes)
            return .string(try json.text(of: value))
        },
    ]

    /// Text for HTML; what is marked stays as it is.
    static func escaped(_ value: Value, _ interpreter: Interpreter) throws -> String {
        if case .markup(let text) = value { return text }
        var result = ""
        for scalar in try interpreter.text(value).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "'": result += "&#39;"
            case "\"": result += "&#34;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func percentEncoded(_ text: String, keeping safe: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            case _ where "_.-~".utf8.contains(byte) || safe.utf8.contains(byte):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += (digits.count == 1 ? "%0" : "%") + digits
            }
        }
        return result
    }

    private static func query(_ interpreter: Interpreter, _ pairs: [Value]) throws -> String {
        try pairs.map { pair in
            let values = try interpreter.elements(of: pair)
            guard values.count == 2 else { throw JinjaFailure("urlencode takes pairs") }
            return try values.map { value in
                StringSearch.split(percentEncoded(try interpreter.text(value), keeping: ""), by: "%20")
                    .joined(separator: "+")
            }.joined(separator: "=")
        }.joined(separator: "&")
    }
}
