/// Python's operations on text, which go by Unicode scalars.
enum PythonString {
    typealias Scalars = [Unicode.Scalar]

    static func string(_ scalars: some Swift.Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    // MARK: Kinds of scalars

    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.numericType == .decimal || scalar.properties.numericType == .digit
    }

    static func isNumeric(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.numericType != nil }

    /// Whether there is a letter with case, and all such are lower (or upper) case.
    static func isCased(_ text: String, lower: Bool) -> Bool {
        var found = false
        for scalar in text.unicodeScalars {
            let (isLower, isUpper) = (scalar.properties.isLowercase, scalar.properties.isUppercase)
            let isTitle = scalar.properties.generalCategory == .titlecaseLetter
            if isTitle || (lower ? isUpper : isLower) { return false }
            if lower ? isLower : isUpper { found = true }
        }
        return found
    }

    static func isTitle(_ text: String) -> Bool {
        var (found, isWithinWord) = (false, false)
        for scalar in text.unicodeScalars {
            if scalar.properties.isUppercase || scalar.properties.generalCategory == .titlecaseLetter {
                if isWithinWord { return false }
                (found, isWithinWord) = (true, true)
            } else if scalar.properties.isLowercase {
                if !isWithinWord { return false }
                found = true
            } else {
                isWithinWord = false
            }
        }
        return found
    }

    static func isIdentifier(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, first == "_" || first.properties.isXIDStart else { return false }
        return text.unicodeScalars.allSatisfy(\.properties.isXIDContinue)
    }

    // MARK: Case

    /// `str.lower`, where a sigma that ends a word has a form of its own.
    static func lowered(_ text: String) -> String {
        guard StringSearch.first("Σ", in: text) != nil else { return text.lowercased() }
        let scalars = Array(text.unicodeScalars)
        var result = ""
        for (index, scalar) in scalars.enumerated() {
            guard scalar == "Σ" else {
                result += scalar.properties.lowercaseMapping
                continue
            }
            let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
            let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
            let endsWord = before?.properties.isCased ?? false && !(after?.properties.isCased ?? false)
            result += endsWord ? "ς" : "σ"
        }
        return result
    }

    /// `str.casefold`: nearly always what lower case makes of upper case.
    static func caseFolded(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x131: result.unicodeScalars.append(scalar)
            case 0x1E9E: result += "ss"
            // Cherokee folds to upper case.
            case 0x13A0...0x13F5: result.unicodeScalars.append(scalar)
            case 0x13F8...0x13FD, 0xAB70...0xABBF: result += scalar.properties.uppercaseMapping
            default: result += scalar.properties.uppercaseMapping.lowercased()
            }
        }
        return result
    }

    static func capitalized(_ text: String) -> String {
        guard let first = text.unicodeScalars.first else { return "" }
        let rest = lowered(text).unicodeScalars.dropFirst(first.properties.lowercaseMapping.unicodeScalars.count)
        return first.properties.titlecaseMapping + String(rest)
    }

    /// `str.title`
    static func titled(_ text: String) -> String {
        var result = ""
        var isWithinWord = false
        for scalar in text.unicodeScalars {
            result += isWithinWord ? scalar.properties.lowercaseMapping : scalar.properties.titlecaseMapping
            isWithinWord = scalar.properties.isCased
        }
        return result
    }

    static func caseSwapped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            result +=
                scalar.properties.isUppercase ? scalar.properties.lowercaseMapping : scalar.properties.uppercaseMapping
        }
        return result
    }

    // MARK: Ends

    struct Ends: OptionSet {
        let rawValue: Int
        static let left = Ends(rawValue: 1)
        static let right = Ends(rawValue: 2)
        static let both: Ends = [.left, .right]
    }

    /// - Parameter characters: what is taken away; nil for white space.
    static func stripped(_ text: String, of characters: String?, at ends: Ends) -> String {
        let set = characters.map { Set($0.unicodeScalars) }
        func isTaken(_ scalar: Unicode.Scalar) -> Bool { set?.contains(scalar) ?? isSpace(scalar) }
        var scalars = text.unicodeScalars[...]
        if ends.contains(.left) { scalars = scalars.drop(while: isTaken) }
        if ends.contains(.right) { while let last = scalars.last, isTaken(last) { scalars.removeLast() } }
        return String(scalars)
    }

    /// - Parameter ends: where the text stands in the wider one: on the left, on the right, or in the middle (both).
    static func padded(_ text: String, to width: Int, with fill: Unicode.Scalar, _ ends: Ends) -> String {
        let count = text.unicodeScalars.count
        guard width > count else { return text }
        let missing = width - count
        // Python's way of centring an odd rest.
        let left = ends == .both ? missing / 2 + (missing & width & 1) : ends == .left ? 0 : missing
        func filling(_ count: Int) -> String { String(repeating: String(fill), count: count) }
        return filling(left) + text + filling(missing - left)
    }

    // MARK: Pieces

    /// `str.split` and `str.rsplit` without a separator: at runs of white space, which fall away at the ends
    /// too, but for the far end of a rest beyond the limit.
    static func words(_ text: String, limit: Int, fromRight: Bool) -> [String] {
        var scalars = Array(text.unicodeScalars)
        if fromRight { scalars.reverse() }
        var pieces: [String] = []
        var index = 0
        func piece(_ range: Range<Int>) -> String {
            fromRight ? string(scalars[range].reversed()) : string(scalars[range])
        }
        while true {
            while index < scalars.count, isSpace(scalars[index]) { index += 1 }
            guard index < scalars.count else { break }
            if pieces.count == limit {
                pieces.append(piece(index..<scalars.count))
                break
            }
            let start = index
            while index < scalars.count, !isSpace(scalars[index]) { index += 1 }
            pieces.append(piece(start..<index))
        }
        return fromRight ? pieces.reversed() : pieces
    }

    /// `str.rsplit` with a separator.
    static func splitFromRight(_ text: String, by part: String, limit: Int) -> [String] {
        let pieces = split(reversed(text), by: reversed(part), limit: limit)
        return pieces.reversed().map(reversed)
    }

    static func split(_ text: String, by part: String, limit: Int) -> [String] {
        StringSearch.split(text, by: part, limit: limit)
    }

    static func reversed(_ text: String) -> String { string(text.unicodeScalars.reversed()) }

    static func lines(_ text: String, keepsEnds: Bool = false) -> [String] {
        var lines: [String] = []
        var line = String.UnicodeScalarView()
        var scalars = text.unicodeScalars.makeIterator()
        var pending = scalars.next()
        while let scalar = pending {
            pending = scalars.next()
            switch scalar.value {
            case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029:
                if keepsEnds { line.append(scalar) }
                if scalar == "\r", let next = pending, next == "\n" {
                    if keepsEnds { line.append(next) }
                    pending = scalars.next()
                }
                lines.append(String(line))
                line = String.UnicodeScalarView()
            default: line.append(scalar)
            }
        }
        if !line.isEmpty { lines.append(String(line)) }
        return lines
    }

    /// `str.expandtabs`
    ///
    /// - Throws: `JinjaFailure` (limit) if the result has more than `limit` bytes.
    static func withoutTabs(_ text: String, size: Int, limit: Int) throws -> String {
        var result = String.UnicodeScalarView()
        var (column, length) = (0, 0)
        for scalar in text.unicodeScalars {
            let count = scalar != "\t" ? 1 : size > 0 ? size - column % size : 0
            length += count
            guard length <= limit else { throw JinjaFailure.textLimit(limit) }
            for _ in 0..<count { result.append(scalar == "\t" ? " " : scalar) }
            column = scalar == "\n" || scalar == "\r" ? 0 : column + count
        }
        return String(result)
    }

    // MARK: Replacing

    /// - Throws: `JinjaFailure` (limit) if the result has more than `limit` bytes.
    static func replaced(_ text: String, _ old: String, with new: String, count: Int, limit: Int) throws -> String {
        let pieces: [String]
        if old.isEmpty {
            // Between all characters, and at both ends.
            let scalars = text.unicodeScalars.map { String($0) }
            let places = min(count, scalars.count + 1)
            guard places > 0 else { return text }
            let single = scalars.prefix(places - 1)
            pieces = [""] + single + [scalars.dropFirst(places - 1).joined()]
        } else {
            pieces = StringSearch.split(text, by: old, limit: count)
        }
        let (added, overflows) = new.utf8.count.multipliedReportingOverflow(by: pieces.count - 1)
        guard !overflows, added <= limit else { throw JinjaFailure.textLimit(limit) }
        return pieces.joined(separator: new)
    }

    // MARK: Numbers

    /// `int(text, base)`; nil if Python refuses it. Base 0 goes by the prefix.
    static func integer(_ text: String, base: Int = 10) -> Value? {
        var digits = stripped(text, of: nil, at: .both)[...]
        var isNegative = false
        if let sign = digits.first, sign == "+" || sign == "-" {
            isNegative = sign == "-"
            digits.removeFirst()
        }
        var base = base
        for (mark, markBase) in [("0x", 16), ("0o", 8), ("0b", 2)]
        where (base == 0 || base == markBase) && digits.lowercased().hasPrefix(mark) {
            base = markBase
            digits = digits.dropFirst(2)
            if digits.first == "_" { digits.removeFirst() }
        }
        if base == 0 { base = 10 }
        guard (2...36).contains(base), let plain = withoutUnderscores(digits) else { return nil }
        let ascii = asciiDigits(plain)
        guard let first = ascii.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-") else { return nil }
        if let integer = Int((isNegative ? "-" : "") + ascii, radix: base) { return .int(integer) }
        // Beyond 64 bits only what is written in decimal is read.
        let significant = ascii.drop { $0 == "0" }
        guard base == 10, significant.utf8.count <= 4300, ascii.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return LargeInteger((isNegative ? "-" : "") + significant).map(Value.large)
    }

    /// `float(text)`; nil if Python refuses it.
    static func float(_ text: String) -> Double? {
        let trimmed = stripped(text, of: nil, at: .both)
        guard let plain = withoutUnderscores(trimmed[...]) else { return nil }
        let number = asciiDigits(plain)
        let isSigned = number.hasPrefix("+") || number.hasPrefix("-")
        let unsigned = number.lowercased().dropFirst(isSigned ? 1 : 0)
        if ["inf", "infinity", "nan"].contains(String(unsigned)) { return Double(number.lowercased()) }
        guard unsigned.utf8.allSatisfy({ "0123456789.e+-".utf8.contains($0) }), !unsigned.hasPrefix("+"),
            !unsigned.hasPrefix("-")
        else { return nil }
        // Swift wants digits on both sides of the point.
        var padded = unsigned.hasPrefix(".") ? "0" + unsigned : String(unsigned)
        if let point = padded.firstIndex(of: ".") {
            let next = padded.index(after: point)
            guard unsigned != "." else { return nil }
            if next == padded.endIndex || padded[next] == "e" { padded.insert("0", at: next) }
        }
        guard let value = Double(padded) else { return nil }
        return number.hasPrefix("-") ? -value : value
    }

    /// Underscores may stand between digits.
    private static func withoutUnderscores(_ text: Substring) -> String? {
        guard text.contains("_") else { return String(text) }
        let isMisplaced =
            text.hasPrefix("_") || text.hasSuffix("_") || StringSearch.first("__", in: String(text)) != nil
        return isMisplaced ? nil : text.filter { $0 != "_" }
    }

    /// Python reads decimal digits of all scripts.
    private static func asciiDigits(_ text: String) -> String {
        guard !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
        return string(
            text.unicodeScalars.map { scalar in
                guard scalar.properties.numericType == .decimal, let value = scalar.properties.numericValue else {
                    return scalar
                }
                return Unicode.Scalar(UInt8(ascii: "0") + UInt8(value))
            })
    }
}
