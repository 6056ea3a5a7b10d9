import Foundation

/// The normalizer of a tokenizer: nothing, or Unicode's canonical composition (NFC).
struct Normalizer: Sendable {
    private let composes: Bool

    /// - Throws: `TokenizationError.unsupported` for any kind but NFC and Sequence.
    init(_ node: JSONNode?) throws {
        composes = try node.map(Self.composes) ?? false
    }

    private static func composes(_ node: JSONNode) throws -> Bool {
        switch try node.type() {
        case "NFC": return true
        case "Sequence": return try node.member("normalizers").elements().map(composes).contains(true)
        default: throw try node.unsupportedType(supported: "NFC, Sequence")
        }
    }

    /// The normal form of `text` (valid UTF-8), nil when it clearly is `text` itself.
    func normalize(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard composes, var found = Self.firstUnsettled(in: text, from: text.startIndex) else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var copied = text.startIndex
        while true {
            // The scalar before may take a mark that follows it.
            var start = max(found - 1, copied)
            while start > copied && text[start] & 0xC0 == 0x80 { start -= 1 }
            var end = found
            while end < text.endIndex, end - start < Self.chunkLength || !Self.isSettled(text, at: end) {
                end += Self.width(text[end])
            }
            result.append(contentsOf: text[copied..<start])
            result.append(contentsOf: compose(text[start..<end]).utf8)
            copied = end
            guard let next = Self.firstUnsettled(in: text, from: end) else { break }
            found = next
        }
        result.append(contentsOf: text[copied...])
        return result
    }

    /// Bytes given to Foundation at a time, at least: enough that the call itself does not count, few enough that its
    /// time, which grows faster than the length, does not either.
    private static let chunkLength = 64

    private static func firstUnsettled(in text: ArraySlice<UInt8>, from start: Int) -> Int? {
        var index = start
        while index < text.endIndex {
            let byte = text[index]
            if byte < 0x80 {
                index += 1
            } else if isSettled(text, at: index) {
                index += width(byte)
            } else {
                return index
            }
        }
        return nil
    }

    /// The length of a scalar's UTF-8 by its first byte.
    private static func width(_ lead: UInt8) -> Int {
        lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    }

    /// True for many scalars that are their own normal form and never combine with the one before: text may be cut in
    /// front of them, and text of nothing else is normalized. False says nothing.
    private static func isSettled(_ text: ArraySlice<UInt8>, at index: Int) -> Bool {
        let lead = text[index]
        if lead < 0xCC { return true }  // up to U+02FF
        let second = text[index + 1]
        switch lead {
        case 0xD0, 0xD1: return true  // Cyrillic
        case 0xE1: return second == 0x84  // leading consonants of Hangul
        case 0xE2:  // punctuation but for two spaces; box drawing to dingbats
            return second == 0x80 && text[index + 2] >= 0x82 || (0x94...0x9F).contains(second)
        case 0xE3:  // Hiragana and Katakana but for the two voicing marks; ideographic punctuation
            let third = text[index + 2]
            switch second {
            case 0x80: return third < 0xAA
            case 0x81, 0x83: return true
            case 0x82: return third != 0x99 && third != 0x9A
            default: return second >= 0x90
            }
        case 0xE4...0xE9: return true  // ideographs
        case 0xEA: return second >= 0xB0  // Hangul syllables, to 0xED
        case 0xEB, 0xEC: return true
        case 0xED: return second <= 0x9D
        case 0xEF: return second == 0xBC || second == 0xBD  // full width forms
        case 0xF0: return second == 0x9F  // emoji
        default: return false
        }
    }

    private func compose(_ text: ArraySlice<UInt8>) -> String {
        let string = String(decoding: text, as: UTF8.self)
        let ordered = canonicallyOrdered(string) ?? string
        return (syllablesClosed(ordered) ?? ordered).precomposedStringWithCanonicalMapping
    }

    /// `string` with each open Hangul syllable and a final consonant after it as one syllable (Unicode 15, section 3.12),
    /// which Foundation leaves as they are; nil where there are none.
    private func syllablesClosed(_ string: String) -> String? {
        func isOpen(_ scalar: Unicode.Scalar) -> Bool {
            (0xAC00...0xD7A3).contains(scalar.value) && (scalar.value - 0xAC00) % 28 == 0
        }
        let finals: ClosedRange<UInt32> = 0x11A8...0x11C2
        guard string.unicodeScalars.contains(where: { finals.contains($0.value) }) else { return nil }
        var result = String.UnicodeScalarView()
        for scalar in string.unicodeScalars {
            if finals.contains(scalar.value), let last = result.last, isOpen(last),
                let closed = Unicode.Scalar(last.value + scalar.value - 0x11A7)
            {
                result.removeLast()
                result.append(closed)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// `string` with each run of combining marks in canonical order; nil when it is so already. Foundation orders
    /// short runs itself, but takes quadratic time for long ones and leaves the parts of the four marks that
    /// decompose into two in the wrong place.
    private func canonicallyOrdered(_ string: String) -> String? {
        var needsOrdering = false
        var previous: UInt8 = 0
        for scalar in string.unicodeScalars where scalar.value >= 0x300 || previous != 0 {
            let combiningClass = scalar.properties.canonicalCombiningClass.rawValue
            if combiningClass != 0 && combiningClass < previous || Self.markParts[scalar] != nil {
                needsOrdering = true
                break
            }
            previous = combiningClass
        }
        guard needsOrdering else { return nil }

        var result = String.UnicodeScalarView()
        var marks: [(order: Int, scalar: Unicode.Scalar)] = []
        for scalar in string.unicodeScalars {
            for part in Self.markParts[scalar] ?? [scalar] {
                let combiningClass = Int(part.properties.canonicalCombiningClass.rawValue)
                if combiningClass == 0 {
                    // Marks of one class keep their order: the sort is stable.
                    result.append(contentsOf: marks.sorted { $0.order < $1.order }.map(\.scalar))
                    marks.removeAll()
                    result.append(part)
                } else {
                    marks.append((combiningClass, part))
                }
            }
        }
        result.append(contentsOf: marks.sorted { $0.order < $1.order }.map(\.scalar))
        return String(result)
    }

    /// The only scalars whose canonical decomposition starts with a mark and has two scalars (UnicodeData.txt).
    private static let markParts: [Unicode.Scalar: [Unicode.Scalar]] = [
        "\u{344}": ["\u{308}", "\u{301}"], "\u{F73}": ["\u{F71}", "\u{F72}"],
        "\u{F75}": ["\u{F71}", "\u{F74}"], "\u{F81}": ["\u{F71}", "\u{F80}"],
    ]
}
