extension Unicode.Scalar {
    /// The cells of a terminal that the scalar takes by itself: 0, 1 or 2 (Unicode Standard Annex 11, and the emoji that are
    /// shown as pictures). Control characters take none; who shows them writes something else in their place.
    public var cells: Int {
        switch properties.generalCategory {
        case .control, .nonspacingMark, .enclosingMark, .surrogate, .lineSeparator, .paragraphSeparator: return 0
        // All but the soft hyphen are invisible.
        case .format: return value == 0xAD ? 1 : 0
        default: break
        }
        // Vowels and ends of Korean syllables stand in the cells of their beginnings.
        if (0x1160...0x11FF).contains(value) || (0xD7B0...0xD7FF).contains(value) { return 0 }
        // Two regional indicators are one flag.
        if (0x1F1E6...0x1F1FF).contains(value) { return 1 }
        return properties.isEmojiPresentation || Self.wide.contains { $0.contains(value) } ? 2 : 1
    }

    /// East Asian wide and full-width characters, but for emoji.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F,
        0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6,
        0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF, 0x1D300...0x1D37F, 0x1F200...0x1F265, 0x20000...0x3FFFD,
    ]
}

extension Character {
    /// The most cells that a terminal takes for the character.
    ///
    /// Terminals differ where one character is several emoji joined: some draw one picture in two cells, others each part.
    /// So text that fits by this measure fits in all of them.
    public var cells: Int {
        let sum = unicodeScalars.reduce(0) { $0 + $1.cells }
        // A variation selector makes a picture of what is a letter's width without it.
        return unicodeScalars.contains("\u{FE0F}") ? max(2, sum) : sum
    }
}

extension StringProtocol {
    /// The most cells that a terminal takes for the text, which holds no line ends.
    public var cells: Int { reduce(0) { $0 + $1.cells } }

    /// As much of the beginning as fits into `cells`.
    public func prefix(cells: Int) -> SubSequence {
        var left = cells
        return prefix { character in
            left -= character.cells
            return left >= 0
        }
    }

    /// The text with spaces behind it, or in front of it, so that it takes at least `cells`.
    public func padded(cells: Int, isRight: Bool = false) -> String {
        let spaces = String(repeating: " ", count: Swift.max(0, cells - self.cells))
        return isRight ? spaces + self : self + spaces
    }
}
