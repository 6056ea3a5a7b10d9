#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Values as Python prints them.
struct PythonText {
    /// A value can stand in another many times over, so a small template can ask for a text of any size.
    private let limit: Int
    private var output = ""

    private init(limit: Int) {
        self.limit = limit
    }

    /// `str(value)`
    /// - Throws: `JinjaFailure` (limit) for more bytes than `limit`.
    static func str(_ value: Value, limit: Int) throws -> String {
        switch value {
        case .undefined: ""
        case .string(let text), .markup(let text): text
        default: try repr(value, limit: limit)
        }
    }

    /// `repr(value)`
    static func repr(_ value: Value, limit: Int) throws -> String {
        var text = PythonText(limit: limit)
        try text.append(value)
        return text.output
    }

    private mutating func append(_ value: Value, isInNamespace: Bool = false) throws {
        guard output.utf8.count <= limit else { throw JinjaFailure.textLimit(limit) }
        switch value {
        case .undefined: output += "Undefined"
        case .none: output += "None"
        case .bool(let value): output += value ? "True" : "False"
        case .int(let value): output += "\(value)"
        case .large(let value): output += "\(value)"
        case .double(let value): output += Self.float(value)
        case .string(let text): Self.append(quoted: text, to: &output)
        case .markup(let text):
            output += "Markup("
            Self.append(quoted: text, to: &output)
            output += ")"
        case .sequence(let sequence): try append(sequence, isInNamespace)
        case .dictionary(let dictionary): try append(dictionary, isInNamespace)
        case .namespace(let namespace):
            // A namespace may contain itself.
            output += "<Namespace "
            if isInNamespace { output += "..." } else { try append(namespace.attributes, true) }
            output += ">"
        case .generator: output += "<generator object>"
        case .loop(let loop): output += "<LoopContext \(loop.index + 1)/\(loop.values.count)>"
        case .function(let function): output += "<function \(function.name)>"
        }
    }

    private mutating func append(_ sequence: Value.Sequence, _ isInNamespace: Bool) throws {
        if sequence.kind == .range {
            output += Self.range(sequence.values)
            return
        }
        let (open, close): (String, String) =
            switch sequence.kind {
            case .view(let name): (name + "([", "])")
            case .tuple, .group: ("(", sequence.values.count == 1 ? ",)" : ")")
            case .list, .range: ("[", "]")
            }
        output += open
        for (index, value) in sequence.values.enumerated() {
            if index > 0 { output += ", " }
            try append(value, isInNamespace: isInNamespace)
        }
        output += close
    }

    private mutating func append(_ dictionary: Value.Dictionary, _ isInNamespace: Bool) throws {
        output += "{"
        for (index, (key, value)) in zip(dictionary.keys, dictionary.values).enumerated() {
            if index > 0 { output += ", " }
            try append(key, isInNamespace: isInNamespace)
            output += ": "
            try append(value, isInNamespace: isInNamespace)
        }
        output += "}"
    }

    private static func range(_ values: [Value]) -> String {
        guard let first = values.first?.integer, let last = values.last?.integer else { return "range(0, 0)" }
        let step = values.count > 1 ? (values[1].integer ?? 0) - first : 1
        return "range(\(first), \(last + step.signum())\(step == 1 ? "" : ", \(step)"))"
    }

    private static func append(quoted text: String, to output: inout String) {
        let quote: Unicode.Scalar = text.utf8.contains(0x27) && !text.utf8.contains(0x22) ? "\"" : "'"
        output.unicodeScalars.append(quote)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case "\\": output += "\\\\"
            case quote:
                output += "\\"
                output.unicodeScalars.append(quote)
            case _ where isPrintable(scalar): output.unicodeScalars.append(scalar)
            default:
                let (mark, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
                let digits = String(scalar.value, radix: 16)
                output += "\\" + mark + String(repeating: "0", count: width - digits.count) + digits
            }
        }
        output.unicodeScalars.append(quote)
    }

    static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == " " { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }

    /// `repr` of a float: the shortest digits that read back as the same number, with an exponent below 1e-4 and from 1e16 on.
    static func float(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        let sign = value.sign == .minus ? "-" : ""
        if value == 0 { return sign + "0.0" }
        // Swift prints the shortest digits too, though it changes to exponents elsewhere.
        let parts = value.magnitude.description.split(separator: "e")
        let fields = parts[0].split(separator: ".")
        let fraction = fields.count > 1 ? fields[1] : ""
        var digits = Substring(fields[0] + fraction)
        var point = fields[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        while digits.first == "0", digits.count > 1 {
            digits.removeFirst()
            point -= 1
        }
        while digits.last == "0", digits.count > 1 { digits.removeLast() }
        let exponent = point - 1
        if exponent < -4 || exponent >= 16 {
            let tail = digits.count > 1 ? "." + digits.dropFirst() : ""
            let size = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
            return sign + digits.prefix(1) + tail + "e" + (exponent < 0 ? "-" : "+") + size
        }
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        if digits.count <= point {
            return sign + digits + String(repeating: "0", count: point - digits.count) + ".0"
        }
        return sign + digits.prefix(point) + "." + digits.dropFirst(point)
    }

    /// C's formatting of a number: `kind` is one of e, f, g and their capitals.
    static func formatted(_ value: Double, _ kind: Character, precision: Int) -> String {
        let capacity = 400 + precision
        var buffer = [CChar](repeating: 0, count: capacity)
        let count = withVaList([Int32(precision), value]) { vsnprintf(&buffer, capacity, "%.*\(kind)", $0) }
        return String(decoding: buffer.prefix(Int(max(0, count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The local time by C's `strftime`.
    static func time(_ format: String, at seconds: Int) -> String {
        var time = time_t(seconds)
        var parts = tm()
        localtime_r(&time, &parts)
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = strftime(&buffer, buffer.count, format, &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
