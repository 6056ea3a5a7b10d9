/// Splits a template into tokens, with the whitespace control of Jinja's `trim_blocks` and `lstrip_blocks`, under which
/// chat templates are written: the newline after a block tag goes, and so does the space before one on its line.
struct Lexer {
    private let source: [Unicode.Scalar]
    private var offset = 0
    private var position = Position()
    private var tokens: [Token] = []
    /// Whether the tag before ended with a newline, so that what follows stands at the start of a line.
    private var isAtLineStart = true

    private static let operators = [
        "**", "//", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=",
        ".", ":", "|", ",", ";",
    ].map { Array($0.unicodeScalars) }

    /// - Throws: `JinjaFailure` (syntax).
    static func tokens(of template: String) throws -> [Token] {
        var lexer = Lexer(template)
        try lexer.run()
        return lexer.tokens
    }

    private init(_ template: String) {
        // Newlines are one character inside templates, and the last one is not part of the text.
        var scalars: [Unicode.Scalar] = []
        var previous: Unicode.Scalar?
        for scalar in template.unicodeScalars {
            if scalar == "\n" && previous == "\r" {
                previous = scalar
                continue
            }
            scalars.append(scalar == "\r" ? "\n" : scalar)
            previous = scalar
        }
        if scalars.last == "\n" { scalars.removeLast() }
        source = scalars
    }

    // MARK: Characters

    private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        offset + ahead < source.count ? source[offset + ahead] : nil
    }

    private mutating func advance(_ count: Int = 1) {
        for _ in 0..<count {
            if source[offset] == "\n" {
                position.line += 1
                position.column = 1
            } else {
                position.column += 1
            }
            offset += 1
        }
    }

    private func starts(with text: String, at start: Int? = nil) -> Bool {
        var index = start ?? offset
        for scalar in text.unicodeScalars {
            guard index < source.count, source[index] == scalar else { return false }
            index += 1
        }
        return true
    }

    private mutating func skipSpace() {
        while let scalar = peek(), scalar.properties.isWhitespace { advance() }
    }

    private mutating func emit(_ kind: Token.Kind, at position: Position) {
        tokens.append(Token(kind: kind, position: position))
    }

    // MARK: Text

    private mutating func run() throws {
        while offset < source.count {
            let start = offset
            let textPosition = position
            while offset < source.count, !isTag { advance() }
            var text = source[start..<offset]
            let tag = position
            guard offset < source.count else {
                append(text, at: textPosition)
                break
            }
            let kind = source[offset + 1]
            let sign = peek(2)
            strip(&text, before: kind, sign)
            append(text, at: textPosition)
            advance(sign == "-" || sign == "+" ? 3 : 2)
            switch kind {
            case "#": try passComment(from: tag)
            case "{":
                emit(.variableBegin, at: tag)
                try readTag(closing: "}}", .variableEnd)
            default:
                if try readRaw(from: tag) { break }
                emit(.blockBegin, at: tag)
                try readTag(closing: "%}", .blockEnd)
            }
        }
        emit(.end, at: position)
    }

    private var isTag: Bool {
        guard source[offset] == "{", let next = peek(1) else { return false }
        return next == "{" || next == "%" || next == "#"
    }

    private mutating func append(_ text: ArraySlice<Unicode.Scalar>, at position: Position) {
        guard !text.isEmpty else { return }
        var string = ""
        string.unicodeScalars.append(contentsOf: text)
        emit(.text(string), at: position)
    }

    /// Takes from the text before a tag what the tag's sign or `lstrip_blocks` takes.
    private func strip(_ text: inout ArraySlice<Unicode.Scalar>, before kind: Unicode.Scalar, _ sign: Unicode.Scalar?) {
        if sign == "-" {
            while let last = text.last, last.properties.isWhitespace { text.removeLast() }
        } else if sign != "+", kind != "{" {
            let lineStart = text.lastIndex(of: "\n").map { $0 + 1 } ?? text.startIndex
            guard lineStart > text.startIndex || isAtLineStart else { return }
            if text[lineStart...].allSatisfy(\.properties.isWhitespace) { text = text[..<lineStart] }
        }
    }

    /// After the sign of a closing delimiter: `-` takes all space that follows, no sign takes a newline after a block.
    private mutating func close(sign: Unicode.Scalar?, takesNewline: Bool) {
        let start = offset
        if sign == "-" {
            skipSpace()
        } else if sign != "+", takesNewline, peek() == "\n" {
            advance()
        }
        isAtLineStart = offset > start && source[offset - 1] == "\n"
    }

    private mutating func passComment(from tag: Position) throws {
        while offset < source.count {
            let sign = peek()
            let isSigned = sign == "-" || sign == "+"
            if starts(with: "#}", at: isSigned ? offset + 1 : offset) {
                advance(isSigned ? 3 : 2)
                return close(sign: isSigned ? sign : nil, takesNewline: true)
            }
            advance()
        }
        throw JinjaFailure("the comment is not closed; end it with '#}'", kind: .syntax, at: tag)
    }

    /// Reads `{% raw %}…{% endraw %}` if that is what stands here, after the opening delimiter.
    private mutating func readRaw(from tag: Position) throws -> Bool {
        var index = offset
        guard let sign = rawTag("raw", at: &index) else { return false }
        advance(index - offset)
        close(sign: sign, takesNewline: false)
        let start = offset
        let textPosition = position
        while offset < source.count {
            if starts(with: "{%") {
                let opening = peek(2)
                var end = offset + (opening == "-" || opening == "+" ? 3 : 2)
                if let sign = rawTag("endraw", at: &end) {
                    var text = source[start..<offset]
                    strip(&text, before: "%", opening)
                    append(text, at: textPosition)
                    advance(end - offset)
                    close(sign: sign, takesNewline: true)
                    return true
                }
            }
            advance()
        }
        throw JinjaFailure("'raw' is not closed; end it with '{% endraw %}'", kind: .syntax, at: tag)
    }

    /// Passes a name and the closing delimiter, and gives the delimiter's sign, a space if it has none.
    private func rawTag(_ name: String, at index: inout Int) -> Unicode.Scalar? {
        func skipSpace() {
            while index < source.count, source[index].properties.isWhitespace { index += 1 }
        }
        skipSpace()
        guard starts(with: name, at: index) else { return nil }
        index += name.unicodeScalars.count
        skipSpace()
        var sign: Unicode.Scalar = " "
        if index < source.count, source[index] == "-" || source[index] == "+" {
            sign = source[index]
            index += 1
        }
        guard starts(with: "%}", at: index) else { return nil }
        index += 2
        return sign
    }
}

// MARK: - Inside tags

extension Lexer {
    private mutating func readTag(closing: String, _ end: Token.Kind) throws {
        var open: [(symbol: String, position: Position)] = []
        while true {
            skipSpace()
            let start = position
            guard let first = peek() else {
                throw JinjaFailure("the tag is not closed; '\(closing)' is missing", kind: .syntax, at: start)
            }
            if open.isEmpty {
                let isSigned = first == "-" || (first == "+" && closing == "%}")
                if starts(with: closing, at: isSigned ? offset + 1 : offset) {
                    emit(end, at: start)
                    advance(isSigned ? 3 : 2)
                    return close(sign: isSigned ? first : nil, takesNewline: closing == "%}")
                }
            }
            if first == "'" || first == "\"" {
                emit(.string(try readString(quote: first)), at: start)
            } else if first.properties.numericType == .decimal && first.isASCII {
                emit(try readNumber(), at: start)
            } else if Self.isNamePart(first) {
                emit(.name(readName()), at: start)
            } else {
                try emit(.symbol(readOperator(&open)), at: start)
            }
        }
    }

    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }

    private mutating func readName() -> String {
        var name = ""
        while let scalar = peek(), Self.isNamePart(scalar) {
            name.unicodeScalars.append(scalar)
            advance()
        }
        return name
    }

    private mutating func readOperator(_ open: inout [(symbol: String, position: Position)]) throws -> String {
        let start = position
        guard
            let symbol = Self.operators.first(where: {
                source.count - offset >= $0.count && source[offset..<offset + $0.count].elementsEqual($0)
            })
        else {
            throw JinjaFailure("unexpected character '\(source[offset])'", kind: .syntax, at: start)
        }
        var text = ""
        text.unicodeScalars.append(contentsOf: symbol)
        advance(symbol.count)
        switch text {
        case "(": open.append((")", start))
        case "[": open.append(("]", start))
        case "{": open.append(("}", start))
        case ")", "]", "}":
            guard let expected = open.popLast() else {
                throw JinjaFailure("unexpected '\(text)'", kind: .syntax, at: start)
            }
            guard expected.symbol == text else {
                throw JinjaFailure("unexpected '\(text)', expected '\(expected.symbol)'", kind: .syntax, at: start)
            }
        default: break
        }
        return text
    }

    private mutating func readNumber() throws -> Token.Kind {
        let start = position
        func digits(_ isDigit: (Unicode.Scalar) -> Bool, from index: Int) -> Int {
            var index = index
            while index < source.count,
                isDigit(source[index])
                    || (source[index] == "_" && index + 1 < source.count
                        && isDigit(source[index + 1]))
            { index += 1 }
            return index
        }
        func text(_ end: Int) -> String {
            String(String.UnicodeScalarView(source[offset..<end])).filter { $0 != "_" }
        }
        if peek() == "0", let marker = peek(1),
            let radix = ["b": 2, "o": 8, "x": 16][marker.properties.lowercaseMapping]
        {
            let end = digits({ Character($0).hexDigitValue.map { $0 < radix } ?? false }, from: offset + 2)
            guard let value = Int(text(end).dropFirst(2), radix: radix) else {
                throw JinjaFailure("a number that is out of range", kind: .syntax, at: start)
            }
            advance(end - offset)
            return .integer(value)
        }
        let isDecimal: (Unicode.Scalar) -> Bool = { ("0"..."9").contains($0) }
        var end = digits(isDecimal, from: offset)
        var isFloat = false
        // `matrix.0.1` is two indices.
        let isIndex = offset > 0 && source[offset - 1] == "."
        if !isIndex, end + 1 < source.count, source[end] == ".", isDecimal(source[end + 1]) {
            isFloat = true
            end = digits(isDecimal, from: end + 1)
        }
        if !isIndex, end < source.count, source[end] == "e" || source[end] == "E" {
            var exponent = end + 1
            if exponent < source.count, source[exponent] == "+" || source[exponent] == "-" { exponent += 1 }
            if exponent < source.count, isDecimal(source[exponent]) {
                isFloat = true
                end = digits(isDecimal, from: exponent)
            }
        }
        let number = text(end)
        advance(end - offset)
        guard isFloat || isIndex || number.first != "0" || number.allSatisfy({ $0 == "0" }) else {
            throw JinjaFailure("the number \(number.prefix(32)) starts with a zero", kind: .syntax, at: start)
        }
        if isFloat, let value = Double(number) { return .float(value) }
        guard let value = Int(number) else {
            throw JinjaFailure("the number \(number.prefix(32)) is out of range", kind: .syntax, at: start)
        }
        return .integer(value)
    }

    private mutating func readString(quote: Unicode.Scalar) throws -> String {
        let start = position
        advance()
        var text = ""
        while let scalar = peek() {
            advance()
            if scalar == quote { return text }
            if scalar == "\\" {
                try readEscape(into: &text, from: start)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        throw JinjaFailure("the string is not closed", kind: .syntax, at: start)
    }

    /// Python's escapes, after the backslash; an unknown one stands for itself.
    private mutating func readEscape(into text: inout String, from start: Position) throws {
        guard let kind = peek() else { return }
        advance()
        let simple: [Unicode.Scalar: Unicode.Scalar] = [
            "n": "\n", "t": "\t", "r": "\r", "b": "\u{8}", "f": "\u{C}", "a": "\u{7}", "v": "\u{B}", "\\": "\\",
            "'": "'", "\"": "\"",
        ]
        if let scalar = simple[kind] {
            text.unicodeScalars.append(scalar)
        } else if kind == "\n" {
            // A line continued: nothing.
        } else if let count = ["x": 2, "u": 4, "U": 8][kind] {
            let digits = String(String.UnicodeScalarView(source[offset..<min(offset + count, source.count)]))
            guard digits.unicodeScalars.count == count, let value = UInt32(digits, radix: 16),
                let scalar = Unicode.Scalar(value)
            else { throw JinjaFailure("'\\\(kind)' needs \(count) hexadecimal digits", kind: .syntax, at: start) }
            advance(count)
            text.unicodeScalars.append(scalar)
        } else if ("0"..."7").contains(kind) {
            var value = kind.value - 0x30
            for _ in 0..<2 {
                guard let digit = peek(), ("0"..."7").contains(digit) else { break }
                value = value * 8 + digit.value - 0x30
                advance()
            }
            text.unicodeScalars.append(Unicode.Scalar(value) ?? "\u{FFFD}")
        } else {
            text.unicodeScalars.append("\\")
            text.unicodeScalars.append(kind)
        }
    }
}
