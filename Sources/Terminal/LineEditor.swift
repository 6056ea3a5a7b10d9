import Foundation
import OutputFiles

/// Lets a person type messages at a terminal, of one line or several.
///
/// Its own rather than a library's: libedit knows neither pasted text nor characters of several scalars, and readline is under
/// another licence.
public final class LineEditor {
    /// What became of reading.
    public enum Outcome: Sendable, Equatable {
        case message(String)
        /// Ctrl-C: what was typed is forgotten.
        case interrupted
        case end
    }

    /// What was sent before, the last one last.
    public var history: [String]
    private let input: CInt
    private let output: CInt
    private let wasInterrupted: () -> Bool
    private var decoder = KeyDecoder()
    /// Keys that were pressed ahead.
    private var keys: ArraySlice<Key> = []
    /// What is on the screen.
    private var shown: TextLayout?

    /// - Parameters:
    ///   - input, output: the terminal, which `RawTerminal` has set up.
    ///   - wasInterrupted: whether Ctrl-C came since the last call.
    public init(input: CInt, output: CInt, history: [String] = [], wasInterrupted: @escaping () -> Bool) {
        self.input = input
        self.output = output
        self.history = history
        self.wasInterrupted = wasInterrupted
    }

    /// Reads a message.
    ///
    /// - Throws: `SystemError` where the terminal can't be read or written.
    public func read(prompt: String, continuation: String) throws -> Outcome {
        var text = EditedText()
        var recalled = history.count
        /// What was typed while earlier messages are looked at.
        var drafts: [Int: EditedText] = [:]
        func recall(_ index: Int) {
            guard (0...history.count).contains(index) else { return }
            drafts[recalled] = text
            recalled = index
            text = drafts[index] ?? EditedText(history[index])
        }
        try draw(text, prompt, continuation)
        while true {
            guard let key = try nextKey() else {
                try draw(text, prompt, continuation, atEnd: true)
                return .end
            }
            switch key {
            case .signal:
                if wasInterrupted() {
                    try draw(text, prompt, continuation, atEnd: true)
                    return .interrupted
                }
            case .key(let key):
                switch key {
                case .enter:
                    // As in a shell, a backslash at the end goes on with the next line.
                    if text.cursor == text.characters.count, text.characters.last == "\\" {
                        text.delete(before: 1)
                        text.insert("\n")
                    } else {
                        try draw(text, prompt, continuation, atEnd: true)
                        return .message(text.text)
                    }
                case .endOfInput where text.characters.isEmpty:
                    try draw(text, prompt, continuation, atEnd: true)
                    return .end
                case .up: if !text.moveLine(up: true) { recall(recalled - 1) }
                case .down: if !text.moveLine(up: false) { recall(recalled + 1) }
                case .clearScreen:
                    try write("\u{1B}[H\u{1B}[2J")
                    shown = nil
                default: Self.edit(&text, key)
                }
            }
            if keys.isEmpty { try draw(text, prompt, continuation) }
        }
    }

    private static func edit(_ text: inout EditedText, _ key: Key) {
        switch key {
        case .text(let typed), .pasted(let typed): text.insert(typed)
        case .newLine: text.insert("\n")
        case .left: text.move(by: -1)
        case .right: text.move(by: 1)
        case .wordLeft: text.moveWordLeft()
        case .wordRight: text.moveWordRight()
        case .home: text.moveToLineStart()
        case .end: text.moveToLineEnd()
        case .backspace: text.delete(before: 1)
        case .delete, .endOfInput: text.delete(after: 1)
        case .deleteWordLeft: text.deleteWordLeft()
        case .deleteToStart: text.deleteToLineStart()
        case .deleteToEnd: text.deleteToLineEnd()
        case .enter, .up, .down, .clearScreen: break
        }
    }

    private enum Event {
        case key(Key)
        case signal
    }

    /// - Returns: nil at the end of the input.
    private func nextKey() throws -> Event? {
        while true {
            if let key = keys.popFirst() { return .key(key) }
            do {
                let bytes = try Descriptor.read(input, endsBySignal: true)
                guard !bytes.isEmpty else { return nil }
                keys = decoder.keys(bytes)[...]
            } catch SystemError(EINTR) {
                return .signal
            }
        }
    }

    // MARK: The screen

    /// - Parameter atEnd: leaves the cursor at the beginning of the row after the text.
    private func draw(_ text: EditedText, _ prompt: String, _ continuation: String, atEnd: Bool = false) throws {
        let size = TerminalSize.current(output)
        var text = text
        if atEnd { text.moveToEnd() }
        let layout = TextLayout(text, prompt: prompt, continuation: continuation, columns: size.columns)
            .window(height: max(1, size.rows - 1))
        var code = ""
        if let shown {
            let above = RawTerminal.takeChange() ? rowsAbove(shown, size.columns) : shown.cursorRow
            if above > 0 { code += "\u{1B}[\(above)A" }
        } else {
            _ = RawTerminal.takeChange()
        }
        code += "\r\u{1B}[J" + layout.rows.joined(separator: "\r\n")
        let below = layout.rows.count - 1 - layout.cursorRow
        if below > 0 { code += "\u{1B}[\(below)A" }
        code += atEnd ? "\r\n" : "\r" + layout.beforeCursor
        try write(code)
        shown = atEnd ? nil : layout
    }

    /// The rows above the cursor after a terminal of another width has set its rows anew.
    private func rowsAbove(_ layout: TextLayout, _ columns: Int) -> Int {
        layout.rows[..<layout.cursorRow].reduce(layout.beforeCursor.cells / columns) { sum, row in
            sum + max(1, (row.cells + columns - 1) / columns)
        }
    }

    private func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { bytes in try Descriptor.write(UnsafeRawBufferPointer(bytes), to: output) }
    }
}
