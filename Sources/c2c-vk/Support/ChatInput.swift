import Foundation
import OutputFiles
import Terminal

/// What a person types, or a pipe sends, message by message.
struct ChatInput {
    let isInteractive: Bool
    private var reader = LineReader()
    private var history: ChatHistory
    /// Where the terminal can be written to, and keys be read one by one.
    private let editor: LineEditor?

    /// - Parameter keepsHistory: whether what is typed is kept for later chats.
    init(keepsHistory: Bool) {
        isInteractive = StandardInput.isTerminal
        history = ChatHistory(isKept: isInteractive && keepsHistory)
        // Standard output may go into a file while a person types.
        let output = [STDOUT_FILENO, STDERR_FILENO].first { isatty($0) == 1 }
        let isDumb = ["", "dumb"].contains(ProcessInfo.processInfo.environment["TERM"] ?? "")
        if isInteractive, !isDumb, let output, RawTerminal.enter(input: STDIN_FILENO, output: output) {
            editor = LineEditor(
                input: STDIN_FILENO, output: output, history: history.entries, wasInterrupted: Interrupt.take)
        } else {
            editor = nil
        }
    }

    /// The next message. A line that ends in a backslash goes on with the one after it. Nil at the end of the input.
    /// - Throws: `UsageError` for what isn't UTF-8, or can't be read.
    mutating func next(prompt: String) throws -> String? {
        guard let editor else { return try lines(prompt) }
        while true {
            // One that came too late for the answer is not for what is typed now.
            _ = Interrupt.take()
            do {
                switch try editor.read(prompt: prompt, continuation: "... ") {
                case .message(let text):
                    history.add(text)
                    editor.history = history.entries
                    return text
                // Ctrl-C takes back what was typed, not the program.
                case .interrupted: continue
                case .end: return nil
                }
            } catch let error as SystemError {
                throw UsageError("the terminal can't be used: \(error)")
            }
        }
    }

    private mutating func lines(_ prompt: String) throws -> String? {
        var text = ""
        var prompt = prompt
        while let line = try line(prompt) {
            guard line.hasSuffix("\\") else { return text + line }
            text += line.dropLast() + "\n"
            prompt = "... "
        }
        // The end of the input is on the prompt's row.
        if isInteractive { StandardStreams.remark("\n") }
        return text.isEmpty ? nil : text
    }

    private mutating func line(_ prompt: String) throws -> String? {
        if isInteractive { StandardStreams.remark(prompt) }
        guard let line = try reader.next() else { return nil }
        guard let text = String(validating: line, as: UTF8.self) else {
            throw UsageError("line \(reader.number) of standard input is not UTF-8; convert it first")
        }
        return text
    }
}
