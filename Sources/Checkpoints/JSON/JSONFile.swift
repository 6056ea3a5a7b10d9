import JSON

extension JSONParser {
    /// Parses bytes of a file.
    /// - Parameters:
    ///   - file: path for the error.
    ///   - subject: which part of the file this is, for the error: "the header ".
    ///   - refusesRepeatedKeys: for formats in which a key that occurs twice contradicts itself.
    /// - Throws: `CheckpointError`.
    package static func parse(
        _ bytes: UnsafeRawBufferPointer, file: String, subject: String = "", refusesRepeatedKeys: Bool = false
    ) throws -> JSONValue {
        do {
            return try parse(bytes, refusesRepeatedKeys: refusesRepeatedKeys)
        } catch let error as JSONError {
            let kind: CheckpointError.Kind = error.kind == .tooLarge ? .tooLarge : .malformed
            throw CheckpointError(kind, file, "\(subject)is \(error)")
        }
    }
}

extension JSONValue {
    /// What it is, for "expected an integer, found …".
    var summary: String {
        switch self {
        case .null, .object: kind
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .large(let digits): quoted(digits)
        case .number(let value): "\(value)"
        case .string(let value): quoted(value)
        case .array(let values): "a list of \(values.count)"
        }
    }
}
