/// A text while it is typed: what a person sees as characters, and the place where the next one goes.
struct EditedText {
    private(set) var characters: [Character] = []
    /// Characters before the cursor.
    private(set) var cursor = 0

    init(_ text: String = "") {
        characters = Array(text)
        cursor = characters.count
    }

    var text: String { String(characters) }

    mutating func insert(_ text: String) {
        let before = String(characters[..<cursor]) + text
        // What is typed may join with its neighbours, as an accent with its letter.
        characters = Array(before + String(characters[cursor...]))
        var left = before.utf8.count
        cursor =
            characters.prefix { character in
                defer { left -= character.utf8.count }
                return left > 0
            }.count
    }

    /// Moves the cursor, as far as there is text.
    mutating func move(by count: Int) {
        cursor = min(max(0, cursor + count), characters.count)
    }

    mutating func moveToLineStart() { cursor = lineStart }
    mutating func moveToLineEnd() { cursor = lineEnd }
    mutating func moveToEnd() { cursor = characters.count }
    mutating func moveWordLeft() { cursor = wordStart }

    mutating func moveWordRight() {
        while cursor < characters.count, !Self.isWord(characters[cursor]) { cursor += 1 }
        while cursor < characters.count, Self.isWord(characters[cursor]) { cursor += 1 }
    }

    /// Moves to the line above or below, near the same column.
    ///
    /// - Returns: false where there is none.
    mutating func moveLine(up: Bool) -> Bool {
        let column = cursor - lineStart
        if up {
            guard lineStart > 0 else { return false }
            cursor = lineStart - 1
            cursor = min(lineStart + column, cursor)
        } else {
            guard lineEnd < characters.count else { return false }
            cursor = lineEnd + 1
            cursor = min(cursor + column, lineEnd)
        }
        return true
    }

    /// Deletes characters before the cursor, or after it.
    mutating func delete(before count: Int) { remove(from: max(0, cursor - count)) }

    mutating func delete(after count: Int) {
        characters.removeSubrange(cursor..<min(characters.count, cursor + count))
    }

    mutating func deleteWordLeft() { remove(from: wordStart) }
    mutating func deleteToLineStart() { remove(from: lineStart) }
    mutating func deleteToLineEnd() { delete(after: max(1, lineEnd - cursor)) }

    private mutating func remove(from start: Int) {
        characters.removeSubrange(start..<cursor)
        cursor = start
    }

    private var lineStart: Int { (characters[..<cursor].lastIndex(of: "\n") ?? -1) + 1 }
    private var lineEnd: Int { characters[cursor...].firstIndex(of: "\n") ?? characters.count }

    private var wordStart: Int {
        var place = cursor
        while place > 0, !Self.isWord(characters[place - 1]) { place -= 1 }
        while place > 0, Self.isWord(characters[place - 1]) { place -= 1 }
        return place
    }

    private static func isWord(_ character: Character) -> Bool { character.isLetter || character.isNumber }
}
