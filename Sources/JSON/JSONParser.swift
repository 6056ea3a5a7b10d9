/// A JSON reader (RFC 8259) for files of unknown origin: nesting, number of values and lengths are limited, lone surrogates
/// and invalid UTF-8 are errors.
///
/// Beyond the standard it reads what Python's `json` does, which wrote most of these files: NaN, Infinity and -Infinity,
/// integers of any size, numbers beyond a double's range as infinities, and of a key that occurs twice the last value.
package struct JSONParser {
    package static let maximumDepth = 64
    /// Bounds the memory a small file can ask for: a value takes far more bytes than "0," does.
    package static let maximumValues = 4_000_000
    /// In UTF-8 bytes.
    package static let maximumKeyLength = 4096
    /// As many digits as Python makes an integer of.
    package static let maximumNumberLength = 4300

    private let bytes: UnsafeRawBufferPointer
    private let refusesRepeatedKeys: Bool
    private var offset = 0
    private var values = 0

    /// - Parameter refusesRepeatedKeys: for formats in which a key that occurs twice contradicts itself.
    /// - Throws: `JSONError`.
    package static func parse(
        _ bytes: UnsafeRawBufferPointer, refusesRepeatedKeys: Bool = false
    ) throws -> JSONValue {
        var parser = JSONParser(bytes, refusesRepeatedKeys: refusesRepeatedKeys)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.offset == bytes.count else { throw parser.error("more text after the end") }
        return value
    }

    /// - Throws: `JSONError`.
    package static func parse(_ text: String) throws -> JSONValue {
        var text = text
        return try text.withUTF8 { try parse(UnsafeRawBufferPointer($0)) }
    }

    private init(_ bytes: UnsafeRawBufferPointer, refusesRepeatedKeys: Bool) {
        self.bytes = bytes
        self.refusesRepeatedKeys = refusesRepeatedKeys
    }

    private func error(_ problem: String, _ kind: JSONError.Kind = .malformed) -> JSONError {
        JSONError(kind: kind, offset: offset, problem: problem)
    }

    private func peek() -> UInt8? {
        offset < bytes.count ? bytes[offset] : nil
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private mutating func consume(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    private mutating func value(depth: Int) throws -> JSONValue {
        skipSpace()
        values += 1
        guard values <= Self.maximumValues else { throw error("more than \(Self.maximumValues) values", .tooLarge) }
        guard depth < Self.maximumDepth else {
            throw error("nested deeper than \(Self.maximumDepth) levels", .tooLarge)
        }
        guard let first = peek() else { throw error("unexpected end; is the file truncated?") }
        switch first {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "N"): return try literal("NaN", .number(.nan))
        case UInt8(ascii: "I"): return try literal("Infinity", .number(.infinity))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error("expected a value")
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws -> JSONValue {
        let matches = text.withUTF8Buffer { expected in
            bytes.count - offset >= expected.count && bytes[offset..<offset + expected.count].elementsEqual(expected)
        }
        guard matches else { throw error("expected \(text)") }
        offset += text.utf8CodeUnitCount
        return value
    }

    private mutating func object(depth: Int) throws -> JSONObject {
        offset += 1
        var members = JSONObject()
        skipSpace()
        if consume("}") { return members }
        while true {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw error("expected a key") }
            let key = try string()
            guard key.utf8.count <= Self.maximumKeyLength else { throw error("an overlong key", .tooLarge) }
            skipSpace()
            guard consume(":") else { throw error("expected ':'") }
            let member = try value(depth: depth + 1)
            guard !refusesRepeatedKeys || members[key] == nil else { throw error("the key \"\(key)\" occurs twice") }
            members[key] = member
            skipSpace()
            if consume("}") { return members }
            guard consume(",") else { throw error("expected ',' or '}'") }
        }
    }

    private mutating func array(depth: Int) throws -> [JSONValue] {
        offset += 1
        var elements: [JSONValue] = []
        skipSpace()
        if consume("]") { return elements }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if consume("]") { return elements }
            guard consume(",") else { throw error("expected ',' or ']'") }
        }
    }

    private mutating func digits() throws {
        let start = offset
        while let byte = peek(), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { offset += 1 }
        guard offset > start else { throw error("expected a digit") }
    }

    private mutating func number() throws -> JSONValue {
        let start = offset
        if consume("-"), peek() == UInt8(ascii: "I") { return try literal("Infinity", .number(-.infinity)) }
        let leadingZero = peek() == UInt8(ascii: "0")
        let integerStart = offset
        try digits()
        guard !leadingZero || offset == integerStart + 1 else { throw error("a number with a leading zero") }
        var isInteger = true
        if consume(".") {
            isInteger = false
            try digits()
        }
        if consume("e") || consume("E") {
            isInteger = false
            if !consume("+") { _ = consume("-") }
            try digits()
        }
        guard offset - start <= Self.maximumNumberLength else { throw error("an overlong number", .tooLarge) }
        let digits = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isInteger { return Int(digits).map(JSONValue.integer) ?? .large(digits) }
        guard let value = Double(digits) else { throw error("a number that no double is near") }
        return .number(value)
    }

    private mutating func string() throws -> String {
        offset += 1
        let start = offset
        while let byte = peek() {
            if byte == UInt8(ascii: "\"") {
                guard let plain = String(validating: bytes[start..<offset], as: UTF8.self) else {
                    throw error("text that is not UTF-8")
                }
                offset += 1
                return try comparable(plain)
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(prefix: start..<offset) }
            guard byte >= 0x20 else { throw error("a control character in text") }
            offset += 1
        }
        throw error("unfinished text; is the file truncated?")
    }

    /// The slower path, from the first backslash on.
    private mutating func escapedString(prefix: Range<Int>) throws -> String {
        var units = [UInt8](bytes[prefix])
        while let byte = peek() {
            guard byte >= 0x20 else { throw error("a control character in text") }
            offset += 1
            if byte == UInt8(ascii: "\"") {
                guard let text = String(validating: units, as: UTF8.self) else { throw error("text that is not UTF-8") }
                return try comparable(text)
            }
            if byte == UInt8(ascii: "\\") {
                units.append(contentsOf: UTF8.encode(try escape()) ?? UTF8.encodedReplacementCharacter)
            } else {
                units.append(byte)
            }
        }
        throw error("unfinished text; is the file truncated?")
    }

    private func comparable(_ text: String) throws -> String {
        guard !text.hasEndlessMarks else {
            throw error("more than \(String.maximumMarksInRow) combining marks in a row", .tooLarge)
        }
        return text
    }

    private mutating func escape() throws -> Unicode.Scalar {
        guard let byte = peek() else { throw error("unfinished text; is the file truncated?") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw error("an unknown escape")
        }
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        // Not a scalar: the first half of a surrogate pair, or nothing valid.
        guard UTF16.isLeadSurrogate(first), consume("\\"), consume("u") else { throw error("a lone surrogate") }
        let second = try hexadecimal()
        guard UTF16.isTrailSurrogate(second) else { throw error("a lone surrogate") }
        let scalar = 0x10000 + (UInt32(first & 0x3FF) << 10 | UInt32(second & 0x3FF))
        guard let scalar = Unicode.Scalar(scalar) else { throw error("a lone surrogate") }
        return scalar
    }

    private mutating func hexadecimal() throws -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("expected four hexadecimal digits")
            }
            value = value << 4 | UInt16(digit)
            offset += 1
        }
        return value
    }
}
