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

    /// The normal form of `text` (valid UTF-8), nil when it is `text` itself.
    func normalize(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        // Everything below U+0300 is its own normal form and combines with nothing before it; 0xCC leads U+0300.
        guard composes, let first = text.firstIndex(where: { $0 >= 0xCC }) else { return nil }
        var start = first
        // The scalar before may take a mark that follows.
        if start > text.startIndex { start -= 1 }
        while start > text.startIndex && text[start] & 0xC0 == 0x80 { start -= 1 }
        var result = Array(text[..<start])
        result.reserveCapacity(text.count)
        while start < text.endIndex {
            let end = chunkEnd(text, from: start)
            result.append(contentsOf: compose(text[start..<end]).utf8)
            start = end
        }
        return result.elementsEqual(text) ? nil : result
    }

    /// Foundation's composition slows down on long strings, so it gets about 4 KiB at a time, cut where a scalar stands
    /// that never combines with the one before.
    private func chunkEnd(_ text: ArraySlice<UInt8>, from start: Int) -> Int {
        var index = start + 4096
        while index < text.endIndex {
            let byte = text[index]
            // ASCII to U+02FF; or a lead byte of U+4000 ... U+9FFF, or of U+B000 ... U+CFFF: ideographs, Hangul syllables.
            if byte < 0x80 || (0xC2...0xCB).contains(byte) || (0xE4...0xE9).contains(byte)
                || (0xEB...0xEC).contains(byte)
            {
                return index
            }
            index += 1
        }
        return text.endIndex
    }

    private func compose(_ text: ArraySlice<UInt8>) -> String {
        let string = String(decoding: text, as: UTF8.self)
        return (canonicallyOrdered(string) ?? string).precomposedStringWithCanonicalMapping
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
