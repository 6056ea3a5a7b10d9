import JSON

/// `json.dumps`, with the arguments that transformers' `tojson` passes on to it.
struct PythonJSON {
    /// Nil for everything on one line.
    var indent: String?
    var itemSeparator: String
    var keySeparator: String
    var escapesNonASCII: Bool
    var sortsKeys: Bool
    /// In bytes.
    var limit: Int
    private var output = ""

    init(
        indent: String?, separators: (item: String, key: String)?, escapesNonASCII: Bool, sortsKeys: Bool,
        limit: Int
    ) {
        self.indent = indent
        itemSeparator = separators?.item ?? (indent == nil ? ", " : ",")
        keySeparator = separators?.key ?? ": "
        self.escapesNonASCII = escapesNonASCII
        self.sortsKeys = sortsKeys
        self.limit = limit
    }

    mutating func text(of value: Value) throws -> String {
        output = ""
        try append(value, level: 0)
        return output
    }

    private mutating func append(_ value: Value, level: Int) throws {
        guard output.utf8.count <= limit else { throw JinjaFailure.textLimit(limit) }
        switch value {
        case .none: output += "null"
        case .bool(let value): output += value ? "true" : "false"
        case .int(let value): output += "\(value)"
        case .large(let value): output += "\(value)"
        case .double(let value): output += number(value)
        case .string(let text), .markup(let text): append(quoted: text)
        case .sequence(let sequence):
            switch sequence.kind {
            case .list, .tuple, .group: break
            case .range, .view: throw unserializable(value)
            }
            try append(sequence.values, "[", "]", level: level) { json, value in
                try json.append(value, level: level + 1)
            }
        case .dictionary(let dictionary):
            var pairs = Array(zip(dictionary.keys, dictionary.values))
            if sortsKeys { pairs = try Order.sorted(pairs) { try $0.0.isLess(than: $1.0) } }
            try append(pairs, "{", "}", level: level) { json, pair in
                json.append(quoted: try json.key(pair.0))
                json.output += json.keySeparator
                try json.append(pair.1, level: level + 1)
            }
        case .undefined, .namespace, .generator, .loop, .function: throw unserializable(value)
        }
    }

    private mutating func append<Element>(
        _ elements: [Element], _ open: String, _ close: String, level: Int,
        _ appendElement: (inout PythonJSON, Element) throws -> Void
    ) throws {
        output += open
        for (index, element) in elements.enumerated() {
            if index > 0 { output += itemSeparator }
            if let indent { output += "\n" + String(repeating: indent, count: level + 1) }
            try appendElement(&self, element)
        }
        if let indent, !elements.isEmpty { output += "\n" + String(repeating: indent, count: level) }
        output += close
    }

    private func key(_ value: Value) throws -> String {
        switch value {
        case .string(let text), .markup(let text): return text
        case .none: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .int(let value): return "\(value)"
        case .large(let value): return "\(value)"
        case .double(let value): return number(value)
        default: throw JinjaFailure("keys must be str, int, float, bool or None, not \(value.typeName)")
        }
    }

    private func number(_ value: Double) -> String {
        value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : PythonText.float(value)
    }

    private func unserializable(_ value: Value) -> JinjaFailure {
        JinjaFailure("Object of type \(value.typeName) is not JSON serializable")
    }

    private mutating func append(quoted text: String) {
        guard escapesNonASCII else {
            JSONText.append(text, to: &output)
            return
        }
        var plain = ""
        JSONText.append(text, to: &plain)
        for scalar in plain.unicodeScalars {
            // DEL is ASCII and stays, as in Python.
            if scalar.isASCII {
                output.unicodeScalars.append(scalar)
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
    }
}

/// Sorting that may fail, and that leaves equal elements in their order.
enum Order {
    static func sorted<Element>(
        _ elements: [Element], by isLess: (Element, Element) throws -> Bool
    ) throws -> [Element] {
        try elements.enumerated().sorted { left, right in
            if try isLess(left.element, right.element) { return true }
            return try !isLess(right.element, left.element) && left.offset < right.offset
        }.map(\.element)
    }
}
