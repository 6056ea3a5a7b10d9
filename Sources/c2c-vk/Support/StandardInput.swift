import Foundation
import OutputFiles

/// Standard input as a whole.
enum StandardInput {
    /// - Throws: `UsageError` for what isn't UTF-8, or can't be read.
    static func text() throws -> String {
        var bytes: [UInt8] = []
        while true {
            let part = try read()
            guard !part.isEmpty else { break }
            bytes += part
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw UsageError("standard input is not UTF-8; convert the text first")
        }
        return text
    }

    /// What there is; nothing at the end of the input.
    /// - Throws: `UsageError`.
    static func read() throws -> [UInt8] {
        do {
            return try Descriptor.read(STDIN_FILENO)
        } catch {
            throw UsageError("standard input can't be read: \(error)")
        }
    }

    static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }
}

/// Token ids from text such as "1 2 3" or "1,2,3".
/// - Throws: `UsageError` for what is no number.
func parseTokenIDs(_ text: String, flag: String) throws -> [Int] {
    try text.split { $0 == " " || $0 == "," || $0.isNewline }.map { field in
        guard let id = Int(field) else {
            throw UsageError("\(flag): \"\(field)\" is no token id; write numbers, such as \"1 2 3\"")
        }
        return id
    }
}
