/// What a person did at a terminal.
public enum Key: Sendable, Equatable {
    /// Typed characters.
    case text(String)
    /// A text that the terminal says was pasted, line ends included.
    case pasted(String)
    /// Sends what was typed.
    case enter
    /// Begins a new line within what is typed.
    case newLine
    case left, right, wordLeft, wordRight, home, end, up, down
    case backspace, delete, deleteWordLeft, deleteToStart, deleteToEnd
    /// Ctrl-D: the end of the input where nothing is typed, else as `delete`.
    case endOfInput
    case clearScreen
}

/// Makes keys of the bytes that a terminal sends, however they are cut into pieces.
public struct KeyDecoder: Sendable {
    /// What isn't complete yet.
    private var pending: [UInt8] = []
    private static let escape: UInt8 = 0x1B
    private static let pasteEnd = Array("\u{1B}[201~".utf8)
    /// A code that goes on for longer is none.
    private static let longestCode = 32

    public init() {}

    public mutating func keys(_ bytes: [UInt8]) -> [Key] {
        pending += bytes
        var keys: [Key] = []
        var typed: [UInt8] = []
        var index = 0
        func flush() {
            // Bytes that are no text are left out.
            let text = String(decoding: typed, as: UTF8.self).filter { $0 != "\u{FFFD}" }
            if !text.isEmpty { keys.append(.text(text)) }
            typed = []
        }
        while index < pending.count {
            let byte = pending[index]
            if byte == Self.escape {
                guard let (key, end) = code(at: index) else { break }
                flush()
                if let key { keys.append(key) }
                index = end
            } else if let key = Self.control(byte) {
                flush()
                keys.append(key)
                index += 1
            } else {
                let count = Self.length(byte)
                guard index + count <= pending.count else { break }
                // Other control characters do nothing; a tabulator is text.
                if byte >= 0x20 || byte == 0x09 { typed += pending[index..<index + count] }
                index += count
            }
        }
        flush()
        pending.removeFirst(index)
        return keys
    }

    /// The bytes of the UTF-8 sequence that begins so.
    private static func length(_ byte: UInt8) -> Int {
        switch byte {
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 1
        }
    }

    private static func control(_ byte: UInt8) -> Key? {
        switch byte {
        case 0x01: .home
        case 0x02: .left
        case 0x04: .endOfInput
        case 0x05: .end
        case 0x06: .right
        case 0x08, 0x7F: .backspace
        // What was typed before the terminal was set up has its returns turned into line feeds.
        case 0x0A, 0x0D: .enter
        case 0x0B: .deleteToEnd
        case 0x0C: .clearScreen
        case 0x0E: .down
        case 0x10: .up
        case 0x15: .deleteToStart
        case 0x17: .deleteWordLeft
        default: nil
        }
    }

    /// A code that begins with escape.
    ///
    /// - Returns: its key, nil where it has none here, and where it ends; nil where it isn't complete.
    private func code(at start: Int) -> (key: Key?, end: Int)? {
        guard start + 1 < pending.count else { return nil }
        let first = pending[start + 1]
        guard first == UInt8(ascii: "[") || first == UInt8(ascii: "O") else {
            return (Self.withAlt(first), start + 2)
        }
        // Parameters, and one letter or tilde that says what it is (ECMA-48, section 5.4).
        let body = pending[(start + 2)...].prefix(Self.longestCode)
        guard let last = body.firstIndex(where: { (0x40...0x7E).contains($0) }) else {
            return body.count < Self.longestCode ? nil : (nil, start + 2)
        }
        let parameters = String(decoding: pending[start + 2..<last], as: UTF8.self)
        guard pending[last] == UInt8(ascii: "~"), parameters == "200" else {
            return (Self.named(parameters, pending[last]), last + 1)
        }
        guard let end = pending[(last + 1)...].firstRange(of: Self.pasteEnd) else { return nil }
        return (.pasted(Self.pastedText(pending[last + 1..<end.lowerBound])), end.upperBound)
    }

    private static func withAlt(_ byte: UInt8) -> Key? {
        switch byte {
        case 0x0A, 0x0D: .newLine
        case UInt8(ascii: "b"): .wordLeft
        case UInt8(ascii: "f"): .wordRight
        case 0x7F, 0x08: .deleteWordLeft
        default: nil
        }
    }

    private static func named(_ parameters: String, _ letter: UInt8) -> Key? {
        // The second parameter tells of Shift, Alt and Ctrl.
        let isModified = parameters.contains(";")
        switch (letter, parameters) {
        case (UInt8(ascii: "A"), _): return .up
        case (UInt8(ascii: "B"), _): return .down
        case (UInt8(ascii: "C"), _): return isModified ? .wordRight : .right
        case (UInt8(ascii: "D"), _): return isModified ? .wordLeft : .left
        case (UInt8(ascii: "H"), _), (UInt8(ascii: "~"), "1"), (UInt8(ascii: "~"), "7"): return .home
        case (UInt8(ascii: "F"), _), (UInt8(ascii: "~"), "4"), (UInt8(ascii: "~"), "8"): return .end
        case (UInt8(ascii: "~"), "3"): return .delete
        default: return nil
        }
    }

    /// Line ends as Unix writes them, and without what would move a cursor.
    private static func pastedText(_ bytes: ArraySlice<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        var previous: Unicode.Scalar?
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\r": text.append("\n")
            case "\n": if previous != "\r" { text.append("\n") }
            case "\t": text.append(scalar)
            default: if scalar.properties.generalCategory != .control { text.append(scalar) }
            }
            previous = scalar
        }
        return String(text)
    }
}
