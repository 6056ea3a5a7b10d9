/// What can go wrong when a tokenizer is read or used. `description` is one line: what, where, how to mend.
public enum TokenizationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file is missing, is not a regular file or cannot be read.
    case unreadableFile(path: String, reason: String)
    /// The file is larger than any tokenizer published; sizes in bytes.
    case fileTooLarge(path: String, limit: Int)
    /// What is wrong inside of a file that was given by its name.
    case unusableFile(path: String, reason: String)
    /// The bytes are not JSON; `offset` is the byte where that shows.
    case malformedJSON(reason: String, offset: Int)
    /// JSON, but not a tokenizer: something is missing, of the wrong type or contradicts itself.
    case invalidFile(String)
    /// A tokenizer, but with a part this module does not implement.
    case unsupported(String)
    /// PCRE2 refused the pattern at this byte.
    case invalidPattern(pattern: String, reason: String, offset: Int)
    /// A pattern exceeded its matching budget on this text.
    case patternTooExpensive(pattern: String, reason: String)
    /// Sizes in bytes.
    case textTooLong(bytes: Int, limit: Int)
    /// No token has this id.
    case unknownID(Int, vocabularySize: Int)

    public var description: String {
        switch self {
        case .unreadableFile(let path, let reason), .unusableFile(let path, let reason):
            return "\(path): \(reason)"
        case .fileTooLarge(let path, let limit):
            return "\(path): larger than \(limit) bytes; is this a tokenizer's file?"
        case .malformedJSON, .invalidFile, .unsupported, .invalidPattern:
            return "tokenizer.json: \(fault ?? "")"
        case .patternTooExpensive(let pattern, let reason):
            return "pattern \(quoted(pattern)) takes too long on this text (\(reason)); "
                + "use a tokenizer from a source you trust"
        case .textTooLong(let bytes, let limit):
            return "text of \(bytes) bytes: at most \(limit) can be encoded at once; encode it in parts"
        case .unknownID(let id, let size):
            return "token id \(id): the tokenizer has ids 0..<\(size); do model and tokenizer belong together?"
        }
    }

    /// What is wrong inside of a file, without its name; nil where that isn't the matter.
    private var fault: String? {
        switch self {
        case .malformedJSON(let reason, let offset): "byte \(offset): \(reason); is the file complete?"
        case .invalidFile(let message), .unsupported(let message): message
        case .invalidPattern(let pattern, let reason, let offset):
            "pattern \(quoted(pattern)) at byte \(offset): \(reason)"
        default: nil
        }
    }

    /// The same, with the name of the file in which something is wrong.
    func naming(_ path: String) -> TokenizationError {
        fault.map { .unusableFile(path: path, reason: $0) } ?? self
    }

    /// Runs what reads a file, and names that file in what goes wrong inside of it.
    static func naming<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as TokenizationError {
            throw error.naming(path)
        }
    }
}

/// `text` in quotes for an error message: control characters escaped and cut after 80 scalars, so that a message
/// stays one short line whatever the file says.
func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars.prefix(80) {
        result += scalar.value < 0x20 ? scalar.escaped(asASCII: false) : String(scalar)
    }
    return result + (text.unicodeScalars.count > 80 ? "…\"" : "\"")
}

/// Bytes as `quoted` text; invalid UTF-8 shows as U+FFFD.
func quoted(_ bytes: some Collection<UInt8>) -> String {
    quoted(String(decoding: bytes.prefix(400), as: UTF8.self))
}
