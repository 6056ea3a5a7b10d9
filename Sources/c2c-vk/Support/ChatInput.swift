import CEdit
import Foundation

/// What a person types, or a pipe sends, line by line.
struct ChatInput {
    let isInteractive: Bool
    private var reader = LineReader()

    init() {
        isInteractive = StandardInput.isTerminal
        // Without it the editor takes characters beyond ASCII apart.
        if isInteractive { setlocale(LC_CTYPE, "") }
    }

    /// The next line; one that ends in a backslash goes on with the one after it. Nil at the end of the input.
    /// - Throws: `UsageError` for what isn't UTF-8.
    mutating func next(prompt: String) throws -> String? {
        var text = ""
        var prompt = prompt
        while let line = try line(prompt) {
            guard line.hasSuffix("\\") else { return text + line }
            text += line.dropLast() + "\n"
            prompt = "... "
        }
        return text.isEmpty ? nil : text
    }

    private mutating func line(_ prompt: String) throws -> String? {
        guard isInteractive else {
            guard let line = try reader.next() else { return nil }
            guard let text = String(validating: line, as: UTF8.self) else {
                throw UsageError("line \(reader.number) of standard input is not UTF-8; convert it first")
            }
            return text
        }
        guard let line = readline(prompt) else {
            // Ctrl-C takes back the line, not the program.
            guard Interrupt.take() else { return nil }
            try Output.line()
            return ""
        }
        defer { free(line) }
        let text = String(cString: line)
        if !text.allSatisfy(\.isWhitespace) { add_history(line) }
        return text
    }
}
