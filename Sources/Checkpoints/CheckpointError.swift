/// Why a file could not be read or written, in one line: which file, what is wrong, how to mend it.
public struct CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong, for callers that react rather than report.
    public enum Kind: Hashable, Sendable {
        /// The file or directory does not exist.
        case missing
        /// The operating system refused to open, map, read or write it.
        case inaccessible
        /// The contents contradict themselves or their format (damaged, truncated or hostile).
        case malformed
        /// A valid file that uses something this module does not read.
        case unsupported
        /// A pickle that asks for code to be run.
        case unsafe
        /// A size or count beyond what this module accepts.
        case tooLarge
        /// A value that was asked for is absent, of another type or out of range.
        case invalidValue
    }

    public let kind: Kind
    /// Path of the file or directory, as it was given.
    public let file: String
    /// What is wrong and how to mend it, without the file's name.
    public let reason: String

    public init(_ kind: Kind, _ file: String, _ reason: String) {
        self.kind = kind
        self.file = file
        self.reason = reason
    }

    public var description: String { "\(file): \(reason)" }
}

/// Quotes text that came out of a file: printable, on one line, and short.
package func quoted(_ text: String) -> String {
    let limit = 80
    var result = "'"
    for scalar in text.unicodeScalars.prefix(limit) {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            result += "\\u{" + String(scalar.value, radix: 16) + "}"
        default:
            result.unicodeScalars.append(scalar)
        }
    }
    return result + (text.unicodeScalars.count > limit ? "…'" : "'")
}
