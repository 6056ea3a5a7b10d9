/// Finding text in text byte by byte, as Python does: no two spellings of a character are the same.
enum StringSearch {
    /// The byte at which `part` first stands in `text`.
    static func first(_ part: String, in text: String) -> Int? { all(part, in: text, limit: 1).first }

    /// All places, not overlapping, up to a count; in time that grows with the sum of the lengths (Knuth, Morris and
    /// Pratt's search).
    static func all(_ part: String, in text: String, limit: Int = .max) -> [Int] {
        guard limit > 0 else { return [] }
        let needle = Array(part.utf8)
        guard !needle.isEmpty else { return [0] }
        // How much of the needle's start the byte before a place ends with: where to go on after a mismatch.
        var borders = [0, 0]
        var border = 0
        for byte in needle.dropFirst() {
            while border > 0, needle[border] != byte { border = borders[border] }
            if needle[border] == byte { border += 1 }
            borders.append(border)
        }
        var places: [Int] = []
        var matched = 0
        var end = 0
        for byte in text.utf8 {
            end += 1
            while matched > 0, needle[matched] != byte { matched = borders[matched] }
            if needle[matched] == byte { matched += 1 }
            guard matched == needle.count else { continue }
            places.append(end - needle.count)
            matched = 0
            if places.count == limit { break }
        }
        return places
    }

    /// The pieces between the places.
    static func split(_ text: String, by part: String, limit: Int = .max) -> [String] {
        let bytes = Array(text.utf8)
        var pieces: [String] = []
        var start = 0
        for place in all(part, in: text, limit: limit) {
            pieces.append(String(decoding: bytes[start..<place], as: UTF8.self))
            start = place + part.utf8.count
        }
        pieces.append(String(decoding: bytes[start...], as: UTF8.self))
        return pieces
    }
}
