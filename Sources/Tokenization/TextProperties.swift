/// Unicode properties of the scalars around a place in UTF-8 text. All functions expect valid UTF-8 and scalar boundaries.
enum TextProperties {
    static func scalar(before index: Int, in text: ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard index > text.startIndex else { return nil }
        var start = index - 1
        while start > text.startIndex && text[start] & 0xC0 == 0x80 { start -= 1 }
        return scalar(at: start, in: text)
    }

    static func scalar(at index: Int, in text: ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard index < text.endIndex else { return nil }
        return String(decoding: text[index..<min(index + 4, text.endIndex)], as: UTF8.self).unicodeScalars.first
    }

    /// Regular expressions' `\w` (Unicode TS 18, annex C).
    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        if properties.isAlphabetic || properties.isJoinControl { return true }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return false
        }
    }

    /// Where the white space that ends at `end` begins; at least `limit`, which may lie after `end`.
    static func spaceStart(before end: Int, in text: ArraySlice<UInt8>, notBefore limit: Int) -> Int {
        var start = max(end, limit)
        while start > limit, let scalar = scalar(before: start, in: text), scalar.properties.isWhitespace {
            start -= UTF8.width(scalar)
        }
        return start
    }

    /// Where the white space that begins at `start` ends.
    static func spaceEnd(from start: Int, in text: ArraySlice<UInt8>) -> Int {
        var end = start
        while let scalar = scalar(at: end, in: text), scalar.properties.isWhitespace { end += UTF8.width(scalar) }
        return end
    }
}
