/// How a value is laid out: `[[fill]align][sign][#][0][width][,][.precision][type]`, Python's format specification, which
/// the older `%` formats are a subset of.
struct FormatSpecification {
    var fill: Unicode.Scalar = " "
    /// One of `<`, `>`, `^` and `=` (between sign and digits); nil for the type's own way.
    var alignment: Unicode.Scalar?
    var sign: Unicode.Scalar = "-"
    var isAlternate = false
    var width = 0
    var grouping: Unicode.Scalar?
    var precision: Int?
    var type: Unicode.Scalar?

    /// Wider than any text that a template should print, and no burden.
    static let maximumNumber = 4096

    init() {}

    init(_ text: String) throws {
        let scalars = Array(text.unicodeScalars)
        var index = 0
        func peek(_ offset: Int = 0) -> Unicode.Scalar? {
            index + offset < scalars.count ? scalars[index + offset] : nil
        }
        func take(_ set: [Unicode.Scalar]) -> Unicode.Scalar? {
            guard let scalar = peek(), set.contains(scalar) else { return nil }
            index += 1
            return scalar
        }
        let alignments: [Unicode.Scalar] = ["<", ">", "^", "="]
        if let second = peek(1), alignments.contains(second) {
            (fill, alignment) = (scalars[0], second)
            index = 2
        } else {
            alignment = take(alignments)
        }
        sign = take(["+", "-", " "]) ?? "-"
        isAlternate = take(["#"]) != nil
        if take(["0"]) != nil, alignment == nil { (fill, alignment) = ("0", "=") }
        func number() throws -> Int? {
            var value: Int?
            while let scalar = peek(), let digit = Int(String(scalar)), scalar.isASCII {
                let longer = (value ?? 0) * 10 + digit
                guard longer <= Self.maximumNumber else {
                    throw JinjaFailure("a width or precision beyond \(Self.maximumNumber)", kind: .limit)
                }
                value = longer
                index += 1
            }
            return value
        }
        width = try number() ?? 0
        grouping = take([",", "_"])
        if take(["."]) != nil {
            precision = try number()
            guard precision != nil else { throw JinjaFailure("format specifier missing precision") }
        }
        type = take(["s", "d", "b", "c", "o", "x", "X", "n", "e", "E", "f", "F", "g", "G", "%"])
        guard index == scalars.count else { throw JinjaFailure("invalid format specifier '\(text)'") }
    }

    /// `format(value, specification)`
    func text(of value: Value, _ interpreter: Interpreter) throws -> String {
        switch value {
        case .int, .bool:
            if case .bool(let flag) = value, type == nil { return padded(flag ? "True" : "False", isNumber: true) }
            let integer = value.integer ?? 0
            switch type {
            case nil, "d", "n": return number(String(integer.magnitude), isNegative: integer < 0)
            case "b": return number((isAlternate ? "0b" : "") + radix(integer, 2), isNegative: integer < 0)
            case "o": return number((isAlternate ? "0o" : "") + radix(integer, 8), isNegative: integer < 0)
            case "x": return number((isAlternate ? "0x" : "") + radix(integer, 16), isNegative: integer < 0)
            case "X":
                return number((isAlternate ? "0X" : "") + radix(integer, 16).uppercased(), isNegative: integer < 0)
            case "c":
                guard let code = UInt32(exactly: integer), let scalar = Unicode.Scalar(code) else {
                    throw JinjaFailure("%c arg not in range(0x110000)")
                }
                return padded(String(scalar), isNumber: false)
            default: return try float(Double(integer))
            }
        case .large(let integer):
            switch type {
            case nil, "d", "n": return number(integer.digits, isNegative: integer.isNegative)
            case "b", "o", "x", "X", "c": throw JinjaFailure.integerRange
            default: return try float(integer.double)
            }
        case .double(let double): return try float(double)
        case .undefined(let hint) where width == 0 && precision == nil && type == nil:
            _ = hint
            return ""
        default:
            guard type == nil || type == "s" else {
                throw JinjaFailure("unknown format code '\(type.map(String.init) ?? "")' for '\(value.typeName)'")
            }
            var text = try interpreter.text(value)
            if let precision { text = String(text.unicodeScalars.prefix(precision)) }
            return padded(text, isNumber: false)
        }
    }

    private func radix(_ integer: Int, _ radix: Int) -> String { String(integer.magnitude, radix: radix) }

    private func float(_ value: Double) throws -> String {
        let magnitude = value.magnitude
        let isNegative = value.sign == .minus && !value.isNaN
        switch type {
        case nil:
            let text =
                precision.map { digits in
                    var text = PythonText.formatted(magnitude, "g", precision: max(1, digits))
                    if !text.contains("."), !text.contains("e") { text += ".0" }
                    return text
                } ?? PythonText.float(magnitude)
            return number(text, isNegative: isNegative)
        case "e", "E", "f", "F", "g", "G":
            let kind = Character(type ?? "f")
            return number(PythonText.formatted(magnitude, kind, precision: precision ?? 6), isNegative: isNegative)
        case "%":
            return number(
                PythonText.formatted(magnitude * 100, "f", precision: precision ?? 6) + "%", isNegative: isNegative)
        case "n": return number(PythonText.formatted(magnitude, "g", precision: precision ?? 6), isNegative: isNegative)
        default: throw JinjaFailure("unknown format code '\(type.map(String.init) ?? "")' for 'float'")
        }
    }

    private func number(_ digits: String, isNegative: Bool) -> String {
        let mark = isNegative ? "-" : sign == "-" ? "" : String(sign)
        var body = digits
        if let grouping {
            let whole = digits.prefix { $0.isASCII && $0.isNumber }
            var grouped = ""
            for (offset, digit) in whole.enumerated() {
                if offset > 0, (whole.count - offset) % 3 == 0 { grouped += String(grouping) }
                grouped.append(digit)
            }
            body = grouped + digits.dropFirst(whole.count)
        }
        if alignment == "=" {
            return mark + PythonString.padded(body, to: width - mark.count, with: fill, .right)
        }
        return padded(mark + body, isNumber: true)
    }

    private func padded(_ text: String, isNumber: Bool) -> String {
        switch alignment ?? (isNumber ? ">" : "<") {
        case "^":
            let missing = max(0, width - text.unicodeScalars.count)
            let left = String(repeating: String(fill), count: missing / 2)
            return PythonString.padded(left + text, to: width, with: fill, .left)
        case "<": return PythonString.padded(text, to: width, with: fill, .left)
        default: return PythonString.padded(text, to: width, with: fill, .right)
        }
    }
}

/// `format % values`
enum PercentFormat {
    static func text(_ format: String, _ values: Value, _ interpreter: Interpreter) throws -> String {
        var rest: [Value] = [values]
        if case .sequence(let sequence) = values, sequence.kind == .tuple { rest = sequence.values }
        rest.reverse()
        var isNamed = false
        var output = ""
        let scalars = Array(format.unicodeScalars)
        var index = 0
        func next() throws -> Unicode.Scalar {
            guard index < scalars.count else { throw JinjaFailure("incomplete format") }
            defer { index += 1 }
            return scalars[index]
        }
        func argument() throws -> Value {
            guard let value = rest.popLast() else { throw JinjaFailure("not enough arguments for format string") }
            return value
        }
        func size() throws -> Int? {
            if index < scalars.count, scalars[index] == "*" {
                index += 1
                guard let value = try argument().integer else { throw JinjaFailure("* wants int") }
                guard value.magnitude <= FormatSpecification.maximumNumber else {
                    throw JinjaFailure("a width beyond \(FormatSpecification.maximumNumber)", kind: .limit)
                }
                return value
            }
            var digits = ""
            while index < scalars.count, ("0"..."9").contains(scalars[index]) {
                digits.unicodeScalars.append(try next())
            }
            guard !digits.isEmpty else { return nil }
            guard let value = Int(digits), value <= FormatSpecification.maximumNumber else {
                throw JinjaFailure("a width beyond \(FormatSpecification.maximumNumber)", kind: .limit)
            }
            return value
        }
        while index < scalars.count {
            let scalar = try next()
            guard scalar == "%" else {
                output.unicodeScalars.append(scalar)
                continue
            }
            if index < scalars.count, scalars[index] == "%" {
                index += 1
                output += "%"
                continue
            }
            var named: Value?
            if index < scalars.count, scalars[index] == "(" {
                index += 1
                var name = ""
                var character = try next()
                while character != ")" {
                    name.unicodeScalars.append(character)
                    character = try next()
                }
                guard case .dictionary(let dictionary) = values else { throw JinjaFailure("format requires a mapping") }
                guard let value = dictionary[name] else { throw JinjaFailure("no value for '\(name)' in the format") }
                (named, isNamed) = (value, true)
            }
            var specification = FormatSpecification()
            var (isLeft, isZero) = (false, false)
            flags: while index < scalars.count {
                switch scalars[index] {
                case "-": isLeft = true
                case "0": isZero = true
                case "+": specification.sign = "+"
                case " ": if specification.sign != "+" { specification.sign = " " }
                case "#": specification.isAlternate = true
                default: break flags
                }
                index += 1
            }
            if let width = try size() {
                specification.width = abs(width)
                isLeft = isLeft || width < 0
            }
            if index < scalars.count, scalars[index] == "." {
                index += 1
                specification.precision = max(0, try size() ?? 0)
            }
            while index < scalars.count, ["h", "l", "L"].contains(scalars[index]) { index += 1 }
            let type = try next()
            let value = try named ?? argument()
            specification.alignment = isLeft ? "<" : ">"
            output += try text(value, type, specification, isZero: isZero && !isLeft, interpreter)
            guard output.utf8.count <= interpreter.limits.textBytes else {
                throw JinjaFailure.textLimit(interpreter.limits.textBytes)
            }
        }
        guard rest.isEmpty || isNamed || isMapping(values) else {
            throw JinjaFailure("not all arguments converted during string formatting")
        }
        return output
    }

    private static func isMapping(_ value: Value) -> Bool { if case .dictionary = value { true } else { false } }

    private static func text(
        _ value: Value, _ type: Unicode.Scalar, _ specification: FormatSpecification, isZero: Bool,
        _ interpreter: Interpreter
    ) throws -> String {
        var specification = specification
        switch type {
        case "s", "r", "a":
            let text =
                type == "s"
                ? try interpreter.text(value) : try PythonText.repr(value, limit: interpreter.limits.textBytes)
            return try specification.text(of: .string(text), interpreter)
        case "c":
            if case .string(let text) = value {
                guard text.unicodeScalars.count == 1 else { throw JinjaFailure("%c requires an int or a char") }
                return try specification.text(of: value, interpreter)
            }
            specification.type = "c"
            return try specification.text(of: value, interpreter)
        case "d", "i", "u", "o", "x", "X", "e", "E", "f", "F", "g", "G":
            if case .undefined(let hint) = value { throw JinjaFailure(hint) }
            guard let number = value.number else {
                throw JinjaFailure("%\(type) format: a real number is required, not \(value.typeName)")
            }
            if isZero { (specification.fill, specification.alignment) = ("0", "=") }
            let isInteger = "diuoxX".unicodeScalars.contains(type)
            specification.type = "iu".unicodeScalars.contains(type) ? "d" : type
            guard isInteger else { return try specification.text(of: .double(number), interpreter) }
            if case .large = value {
                specification.precision = nil
                return try specification.text(of: value, interpreter)
            }
            guard let integer = value.integer ?? Int(exactly: number.rounded(.towardZero)) else {
                throw JinjaFailure("%\(type) format: an integer is required, not \(value.typeName)")
            }
            specification.precision = nil
            return try specification.text(of: .int(integer), interpreter)
        default: throw JinjaFailure("unsupported format character '\(type)'")
        }
    }
}

/// `format.format(values)`
enum BraceFormat {
    static func text(_ format: String, _ arguments: Arguments, _ interpreter: Interpreter) throws -> String {
        var next = 0
        return try text(format, arguments, interpreter, next: &next, depth: 2)
    }

    private static func text(
        _ format: String, _ arguments: Arguments, _ interpreter: Interpreter, next: inout Int, depth: Int
    ) throws -> String {
        guard depth > 0 else { throw JinjaFailure("max string recursion exceeded") }
        let scalars = Array(format.unicodeScalars)
        try interpreter.charge(scalars.count / 16)
        var output = ""
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            let isDoubled = index < scalars.count && scalars[index] == scalar
            switch scalar {
            case "{" where isDoubled, "}" where isDoubled:
                index += 1
                output.unicodeScalars.append(scalar)
            case "}": throw JinjaFailure("single '}' encountered in format string")
            case "{":
                let start = index
                var level = 1
                while index < scalars.count, level > 0 {
                    if scalars[index] == "{" { level += 1 }
                    if scalars[index] == "}" { level -= 1 }
                    index += 1
                }
                guard level == 0 else { throw JinjaFailure("expected '}' before end of string") }
                output += try field(Array(scalars[start..<index - 1]), arguments, interpreter, &next, depth)
            default: output.unicodeScalars.append(scalar)
            }
            guard output.utf8.count <= interpreter.limits.textBytes else {
                throw JinjaFailure.textLimit(interpreter.limits.textBytes)
            }
        }
        return output
    }

    private static func field(
        _ field: PythonString.Scalars, _ arguments: Arguments, _ interpreter: Interpreter, _ next: inout Int,
        _ depth: Int
    ) throws -> String {
        let nameEnd = field.firstIndex { $0 == ":" || $0 == "!" } ?? field.count
        var value = try lookUp(Array(field[..<nameEnd]), arguments, interpreter, &next)
        var index = nameEnd
        if index < field.count, field[index] == "!" {
            guard index + 1 < field.count else { throw JinjaFailure("unmatched '!' in format string") }
            let limit = interpreter.limits.textBytes
            switch field[index + 1] {
            case "s": value = .string(try interpreter.text(value))
            case "r", "a": value = .string(try PythonText.repr(value, limit: limit))
            case let other: throw JinjaFailure("unknown conversion specifier '\(other)'")
            }
            index += 2
        }
        guard index < field.count else { return try FormatSpecification().text(of: value, interpreter) }
        guard field[index] == ":" else { throw JinjaFailure("expected ':' after conversion specifier") }
        let written = PythonString.string(field[(index + 1)...])
        let specification = try text(written, arguments, interpreter, next: &next, depth: depth - 1)
        return try FormatSpecification(specification).text(of: value, interpreter)
    }

    /// `name.attribute[index]`
    private static func lookUp(
        _ field: PythonString.Scalars, _ arguments: Arguments, _ interpreter: Interpreter, _ next: inout Int
    ) throws -> Value {
        var index = field.firstIndex { $0 == "." || $0 == "[" } ?? field.count
        let name = PythonString.string(field[..<index])
        var value: Value
        if name.isEmpty || Int(name) != nil {
            let position = Int(name) ?? next
            if name.isEmpty { next += 1 }
            guard arguments.positional.indices.contains(position) else {
                throw JinjaFailure("no argument \(position) for the format string")
            }
            value = arguments.positional[position]
        } else {
            guard let named = arguments.named.last(where: { $0.name == name }) else {
                throw JinjaFailure("no argument '\(name)' for the format string")
            }
            value = named.value
        }
        while index < field.count {
            if field[index] == "." {
                let start = index + 1
                index = field[start...].firstIndex { $0 == "." || $0 == "[" } ?? field.count
                value = try interpreter.attribute(PythonString.string(field[start..<index]), of: value)
            } else if field[index] == "[", let end = field[index...].firstIndex(of: "]") {
                let key = PythonString.string(field[(index + 1)..<end])
                value = try interpreter.item(Int(key).map(Value.int) ?? .string(key), of: value)
                index = end + 1
            } else {
                throw JinjaFailure("the format string has a malformed field")
            }
        }
        return value
    }
}
