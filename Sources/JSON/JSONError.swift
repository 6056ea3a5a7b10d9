/// Why a text is not the JSON this module reads.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// Not JSON, or not UTF-8.
        case malformed
        /// A nesting, count or length beyond what the reader accepts.
        case tooLarge
    }

    package let kind: Kind
    /// Where, in bytes from the start.
    package let offset: Int
    package let problem: String

    package var description: String { "not the JSON this reads, at byte \(offset): \(problem)" }
}
