extension String {
    /// The most combining marks in a row that files from strangers may hold. No language needs more than a few; Unicode's
    /// Stream-Safe Text Format (UAX 15, section 13) has at most 30.
    package static let maximumMarksInRow = 128

    /// Whether more than `maximumMarksInRow` combining marks follow each other.
    ///
    /// Swift compares and hashes texts by their normal form, for which the marks of a run are sorted: that takes the square
    /// of the run's length, a minute for 200 KB. Whoever reads a stranger's text refuses it before it is compared.
    package var hasEndlessMarks: Bool {
        // The first mark is U+0300, and begins with this byte.
        guard utf8.contains(where: { $0 >= 0xCC }) else { return false }
        var run = 0
        for scalar in unicodeScalars {
            if scalar.value >= 0x300, scalar.properties.canonicalCombiningClass != .notReordered {
                run += 1
                if run > Self.maximumMarksInRow { return true }
            } else {
                run = 0
            }
        }
        return false
    }
}
