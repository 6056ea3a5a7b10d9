/// A text on the rows of a terminal, cut so that the terminal itself never begins a row.
///
/// Rows are cut by the most cells their characters may take; so how many rows there are is certain, whatever a terminal makes of
/// joined emoji. For the same reason the cursor's place is no number of cells but the text in front of it.
struct TextLayout: Equatable {
    var rows: [String] = [""]
    var cursorRow = 0
    /// What stands in the cursor's row before it.
    var beforeCursor = ""

    /// - Parameters:
    ///   - prompt: before the first line.
    ///   - continuation: before each further line.
    ///   - columns: of the terminal; the last one stays free.
    init(_ text: EditedText, prompt: String, continuation: String, columns: Int) {
        let room = max(4, columns - 1)
        rows = [prompt]
        var cells = prompt.cells
        func place(_ index: Int) {
            guard index == text.cursor else { return }
            cursorRow = rows.count - 1
            beforeCursor = rows[cursorRow]
        }
        for (index, character) in text.characters.enumerated() {
            if character == "\n" {
                place(index)
                rows.append(continuation)
                cells = continuation.cells
                continue
            }
            let shown = Self.shown(character)
            if cells + shown.cells > room {
                rows.append("")
                cells = 0
            }
            place(index)
            rows[rows.count - 1] += shown
            cells += shown.cells
        }
        place(text.characters.count)
    }

    /// Only as many rows as the terminal has, those around the cursor.
    func window(height: Int) -> TextLayout {
        guard rows.count > height else { return self }
        var result = self
        let first = min(max(0, cursorRow - height / 2), rows.count - height)
        result.rows = Array(rows[first..<first + height])
        result.cursorRow = cursorRow - first
        return result
    }

    /// What a character looks like; tabulators and control characters would move the cursor elsewhere.
    private static func shown(_ character: Character) -> String {
        if character == "\t" { return "    " }
        return character.unicodeScalars.contains { $0.properties.generalCategory == .control } ? "?" : String(character)
    }
}
