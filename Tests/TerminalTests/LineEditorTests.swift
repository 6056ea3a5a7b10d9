import Foundation
import Terminal
import Testing

/// The editor on pipes in place of a terminal: keys in, messages and what would be shown out.
struct LineEditorTests {
    /// What the editor makes of keys that were all pressed ahead.
    private func messages(_ keys: String, history: [String] = []) throws -> [LineEditor.Outcome] {
        let input = Pipe()
        try input.fileHandleForWriting.write(contentsOf: Data(keys.utf8))
        try input.fileHandleForWriting.close()
        let sink = open("/dev/null", O_WRONLY)
        defer { close(sink) }
        let editor = LineEditor(
            input: input.fileHandleForReading.fileDescriptor, output: sink, history: history, wasInterrupted: { false })
        var outcomes: [LineEditor.Outcome] = []
        repeat { outcomes.append(try editor.read(prompt: "> ", continuation: "... ")) } while outcomes.last != .end
        return outcomes
    }

    private func message(_ keys: String, history: [String] = []) throws -> String? {
        guard case .message(let text)? = try messages(keys + "\r", history: history).first else { return nil }
        return text
    }

    @Test("Lines typed ahead are messages one after the other")
    func ahead() throws {
        #expect(try messages("one\rtwo\r\rthree") == [.message("one"), .message("two"), .message(""), .end])
        #expect(try messages("\u{04}") == [.end])
    }

    @Test("A pasted text of several lines is one message, and can be gone on with")
    func paste() throws {
        #expect(try messages("a \u{1B}[200~one\rtwo\r\u{1B}[201~three\r") == [.message("a one\ntwo\nthree"), .end])
        #expect(try message("one\\\rtwo\u{1B}\rthree") == "one\ntwo\nthree")
        #expect(try message("\u{1B}[200~first\nsecond\u{1B}[201~\u{1B}[A!\u{1B}[B?") == "first!\nsecond?")
    }

    @Test(
        "Editing goes by what a person sees as characters",
        arguments: [
            ("abc\u{7F}", "ab"), ("abc\u{1B}[D\u{1B}[D\u{7F}x", "xbc"), ("abc\u{01}x\u{05}y", "xabcy"),
            ("👩\u{200D}👩\u{200D}👧\u{7F}", ""), ("👩\u{200D}👩\u{200D}👧b\u{1B}[D\u{1B}[Da", "a👩\u{200D}👩\u{200D}👧b"),
            ("e\u{301}\u{7F}", ""), ("字字\u{1B}[D\u{1B}[3~", "字"), ("🇩🇪🇫🇷\u{7F}", "🇩🇪"), ("one two\u{17}", "one "),
            ("one two\u{1B}b\u{0B}", "one "), ("one two\u{1B}[1;5D\u{15}", "two"),
            ("e\u{1B}[D\u{1B}[C\u{301}x\u{1B}[D\u{7F}", "x"),
        ])
    func editing(_ keys: String, _ expected: String) throws {
        #expect(try message(keys) == expected)
    }

    @Test("Earlier messages come back, and what was being typed is not lost by it")
    func history() throws {
        let history = ["first", "of two\nlines"]
        #expect(try message("\u{1B}[A", history: history) == "of two\nlines")
        #expect(try message("\u{1B}[A\u{1B}[A\u{1B}[A!", history: history) == "first!")
        #expect(try message("draft\u{1B}[A\u{1B}[B", history: history) == "draft")
        #expect(try message("\u{1B}[A\u{1B}[A\u{1B}[Ax\u{1B}[B\u{1B}[B\u{1B}[B", history: history) == "")
    }
}
