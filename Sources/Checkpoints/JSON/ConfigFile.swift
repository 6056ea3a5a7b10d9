import JSON

/// A JSON file whose top level is an object: `config.json`, `generation_config.json`, `projector_0.json`.
public struct ConfigFile: Sendable {
    /// Largest file that is read, in bytes.
    public static let maximumSize = 16 << 20

    public let path: String
    public let root: ConfigObject

    /// - Throws: `CheckpointError` if the file is missing, larger than `maximumSize`, or not a JSON object.
    public init(_ path: String) throws {
        let file = try MappedFile(path)
        guard file.size <= Self.maximumSize else {
            throw CheckpointError(
                .tooLarge, path, "is \(file.size) bytes; a configuration of at most \(Self.maximumSize) was expected")
        }
        guard case .object(let fields) = try file.contents.withBytes({ try JSONParser.parse($0, file: path) }) else {
            throw CheckpointError(.malformed, path, "is JSON, but not an object")
        }
        self.path = path
        root = ConfigObject(file: path, field: "", fields: fields)
    }
}
