import JSON

/// A strict JSON reader over bytes (RFC 8259), made for tokenizer.json: 10 MB of short strings, which a general parser
/// turns into hundreds of thousands of objects. The caller walks the structure and decides what becomes a value.
///
/// Every read is bounds-checked and every malformed input throws `TokenizationError.malformedJSON`. The bytes must be
/// valid UTF-8 (`init` checks). Not thread-safe.
struct JSONScanner {
    let bytes: [UInt8]
    private(set) var position = 0
    private var depth = 0

    /// Arrays and objects within each other; recursion stays well inside the smallest thread stack.
    static let maximumDepth = 64

    init(_ bytes: [UInt8]) throws {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw TokenizationError.malformedJSON(reason: "not valid UTF-8", offset: 0)
        }
        self.bytes = bytes
    }

    /// Goes back to a `position` taken before a value, to read it a second time.
    mutating func rewind(to position: Int) {
        self.position = position
    }

    func failure(_ reason: String, at offset: Int? = nil) -> TokenizationError {
        .malformedJSON(reason: reason, offset: offset ?? position)
    }

    // MARK: Structure

    /// The first byte of the next token; white space before it is passed over.
    mutating func peek() throws -> UInt8 {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        throw failure("the file ends within a value")
    }

    private mutating func take(_ byte: UInt8, _ expected: String) throws {
        guard try peek() == byte else { throw failure("expected \(expected)") }
        position += 1
    }

    /// Reads an object. `body` gets each key's bytes, and must read exactly the value that follows.
    mutating func members(_ body: (inout JSONScanner, [UInt8]) throws -> Void) throws {
        var key: [UInt8] = []
        try sequence(open: UInt8(ascii: "{"), close: UInt8(ascii: "}"), "an object") { scanner in
            key.removeAll(keepingCapacity: true)
            try scanner.appendString(to: &key)
            try scanner.take(UInt8(ascii: ":"), "\":\"")
            try body(&scanner, key)
        }
    }

    /// Reads an array. `body` must read exactly one value.
    mutating func elements(_ body: (inout JSONScanner) throws -> Void) throws {
        try sequence(open: UInt8(ascii: "["), close: UInt8(ascii: "]"), "an array", body)
    }

    private mutating func sequence(
        open: UInt8, close: UInt8, _ expected: String, _ body: (inout JSONScanner) throws -> Void
    ) throws {
        try take(open, expected)
        depth += 1
        guard depth <= Self.maximumDepth else { throw failure("more than \(Self.maximumDepth) levels deep") }
        if try peek() != close {
            while true {
                try body(&self)
                let byte = try peek()
                if byte == close { break }
                guard byte == UInt8(ascii: ",") else { throw failure("expected \",\" or the end of \(expected)") }
                position += 1
            }
        }
        position += 1
        depth -= 1
    }

    /// Nothing but white space may follow the file's one value.
    mutating func finish() throws {
        guard (try? peek()) == nil else { throw failure("text after the end of the value") }
    }

    // MARK: Values

    /// Any value as a tree; also what Python writes besides JSON: NaN, Infinity and -Infinity.
    mutating func value() throws -> JSONValue {
        switch try peek() {
        case UInt8(ascii: "{"):
            var result = JSONMembers()
            try members { scanner, key in result.insert(key, try scanner.value()) }
            return .object(result)
        case UInt8(ascii: "["):
            var result: [JSONValue] = []
            try elements { result.append(try $0.value()) }
            return .array(result)
        case UInt8(ascii: "\""):
            var text: [UInt8] = []
            try appendString(to: &text)
            return .string(try comparable(text))
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        case UInt8(ascii: "N"):
            try literal("NaN")
            return .number(.nan)
        case UInt8(ascii: "I"):
            try literal("Infinity")
            return .number(.infinity)
        case UInt8(ascii: "-") where position + 1 < bytes.count && bytes[position + 1] == UInt8(ascii: "I"):
            try literal("-Infinity")
            return .number(-.infinity)
        default:
            return try number()
        }
    }

    /// Passes over any value, checking it as `value()` does.
    mutating func skip() throws {
        switch try peek() {
        case UInt8(ascii: "{"):
            try sequence(open: UInt8(ascii: "{"), close: UInt8(ascii: "}"), "an object") { scanner in
                try scanner.skipString()
                try scanner.take(UInt8(ascii: ":"), "\":\"")
                try scanner.skip()
            }
        case UInt8(ascii: "["):
            try elements { try $0.skip() }
        case UInt8(ascii: "\""):
            try skipString()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try passNumber()
        default:
            _ = try value()
        }
    }

    private mutating func literal(_ word: StaticString) throws {
        for index in 0..<word.utf8CodeUnitCount {
            guard position < bytes.count, bytes[position] == word.utf8Start[index] else {
                throw failure("expected \(word)")
            }
            position += 1
        }
    }

    /// An integer; a fraction, an exponent or a value beyond Int is an error.
    mutating func integer() throws -> Int {
        let first = try peek()
        guard first == UInt8(ascii: "-") || isDigit(first) else { throw failure("expected an integer") }
        let start = position
        guard case .integer(let integer) = try number() else { throw failure("expected an integer", at: start) }
        return integer
    }

    private mutating func number() throws -> JSONValue {
        _ = try peek()
        let start = position
        let isInteger = try passNumber()
        if isInteger, let integer = decimal(bytes[start..<position]) { return .integer(integer) }
        guard let double = Double(String(decoding: bytes[start..<position], as: UTF8.self)) else {
            throw failure("expected a number", at: start)
        }
        return .number(double)
    }

    /// Checks the grammar of a number. True when it has neither fraction nor exponent.
    @discardableResult
    private mutating func passNumber() throws -> Bool {
        if byte() == UInt8(ascii: "-") { position += 1 }
        if byte() == UInt8(ascii: "0") {
            position += 1
        } else {
            try passDigits("expected a value")
        }
        var isInteger = true
        if byte() == UInt8(ascii: ".") {
            position += 1
            isInteger = false
            try passDigits("expected a digit")
        }
        if byte() == UInt8(ascii: "e") || byte() == UInt8(ascii: "E") {
            position += 1
            isInteger = false
            if byte() == UInt8(ascii: "+") || byte() == UInt8(ascii: "-") { position += 1 }
            try passDigits("expected a digit")
        }
        return isInteger
    }

    private mutating func passDigits(_ complaint: String) throws {
        guard let first = byte(), isDigit(first) else { throw failure(complaint) }
        while let next = byte(), isDigit(next) { position += 1 }
    }

    private func decimal(_ digits: ArraySlice<UInt8>) -> Int? {
        var result = 0
        let isNegative = digits.first == UInt8(ascii: "-")
        for digit in isNegative ? digits.dropFirst() : digits {
            let (product, overflowed) = result.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(Int(digit - UInt8(ascii: "0")))
            if overflowed || carried { return nil }
            result = sum
        }
        return isNegative ? -result : result
    }

    private func byte() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    // MARK: Strings

    /// Reads a string and appends its UTF-8, escapes resolved.
    mutating func appendString(to output: inout [UInt8]) throws {
        try take(UInt8(ascii: "\""), "a string")
        while true {
            let start = position
            let end = try endOfPlainText()
            output.append(contentsOf: bytes[start..<end])
            position = end + 1
            if bytes[end] == UInt8(ascii: "\"") { return }
            try appendEscape(to: &output)
        }
    }

    /// Text that becomes a `String`, which takes the square of its length to compare where marks never end.
    func comparable(_ utf8: [UInt8]) throws -> String {
        let text = String(decoding: utf8, as: UTF8.self)
        guard !text.hasEndlessMarks else {
            throw failure("more than \(String.maximumMarksInRow) combining marks in a row")
        }
        return text
    }

    private mutating func skipString() throws {
        try take(UInt8(ascii: "\""), "a string")
        var resolved: [UInt8] = []
        while true {
            let end = try endOfPlainText()
            position = end + 1
            if bytes[end] == UInt8(ascii: "\"") { return }
            try appendEscape(to: &resolved)
        }
    }

    /// The index of the next quote or backslash.
    private func endOfPlainText() throws -> Int {
        var index = position
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return index }
            guard byte >= 0x20 else { throw failure("control character in a string", at: index) }
            index += 1
        }
        throw failure("the file ends within a string", at: bytes.count)
    }

    /// Reads what follows a backslash.
    private mutating func appendEscape(to output: inout [UInt8]) throws {
        guard let kind = byte() else { throw failure("the file ends within a string") }
        position += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(kind)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"): output.append(contentsOf: Array(String(try unicodeEscape()).utf8))
        default: throw failure("unknown escape", at: position - 1)
        }
    }

    /// Reads the digits of `\uXXXX`, and the second half where they are the first half of a surrogate pair.
    private mutating func unicodeEscape() throws -> Unicode.Scalar {
        let start = position
        let unit = try hexadecimalUnit()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard UTF16.isLeadSurrogate(UInt16(unit)), byte() == UInt8(ascii: "\\") else {
            throw failure("half of a surrogate pair", at: start)
        }
        position += 1
        guard byte() == UInt8(ascii: "u") else { throw failure("half of a surrogate pair", at: start) }
        position += 1
        let second = try hexadecimalUnit()
        guard UTF16.isTrailSurrogate(UInt16(second)),
            let scalar = Unicode.Scalar(0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00))
        else { throw failure("half of a surrogate pair", at: start) }
        return scalar
    }

    private mutating func hexadecimalUnit() throws -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = byte(), let value = Character(Unicode.Scalar(digit)).hexDigitValue else {
                throw failure("expected four hexadecimal digits")
            }
            unit = unit << 4 | UInt32(value)
            position += 1
        }
        return unit
    }
}
