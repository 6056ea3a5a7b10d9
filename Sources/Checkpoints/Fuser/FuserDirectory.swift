/// A fuser as it is published: one projector per mapped receiver layer.
///
/// ```
/// <fuser>/config.json                    what was trained (optional here)
/// <fuser>/final/projector_config.json    which receiver layer reads which sharer layer
/// <fuser>/final/projector_<i>.json       a projector's class and arguments
/// <fuser>/final/projector_<i>.pt         its state_dict
/// ```
/// Shapes are not compared with any model here.
public struct FuserDirectory: Sendable {
    /// Where a receiver layer's projector reads, and which projector that is.
    public struct Source: Sendable, Hashable {
        public let sharerLayer: Int
        public let projector: Int
    }

    /// The directory that holds the projectors.
    public let path: String
    /// What the training configuration says; nil without a `config.json`.
    public let training: FuserTraining?
    /// By receiver layer; layers that are not fused are absent.
    public let mapping: [Int: Source]
    /// Every projector the mapping uses, sorted by index.
    public let projectors: [ProjectorFile]

    /// Opens a fuser: the directory with `config.json` and `final/`, the `final` directory itself, or one with the
    /// projectors directly in it. Reads all JSON files and makes sure that all state_dicts exist.
    /// - Throws: `CheckpointError` if a file is missing or malformed, or the mapping is not of one receiver and one
    ///   sharer.
    public init(_ directory: String) throws {
        try DirectoryKind.requireFuser(directory)
        let final = join(directory, "final")
        path = exists(join(final, "projector_config.json")) ? final : directory
        let mappingPath = join(path, "projector_config.json")
        training = try Self.trainingPath(directory).map { try FuserTraining($0) }
        mapping = try LayerMapping.read(mappingPath)
        let directory = path
        projectors = try Set(mapping.values.map(\.projector)).sorted().map {
            try ProjectorFile(index: $0, directory: directory)
        }
    }

    /// The projector of that index.
    /// - Throws: `CheckpointError` if the mapping uses no such projector.
    public func projector(_ index: Int) throws -> ProjectorFile {
        guard let projector = projectors.first(where: { $0.index == index }) else {
            throw CheckpointError(.missing, path, "no layer is mapped to projector \(index)")
        }
        return projector
    }

    /// `config.json` lies beside `final`, or beside the projectors if there is no such folder.
    private static func trainingPath(_ directory: String) -> String? {
        var candidates = [join(directory, "config.json")]
        // Only beside a directory that is `final` by content: the parent of any other directory is not the fuser's.
        if !isDirectory(join(directory, "final")), lastComponent(directory) == "final" {
            candidates.append(join(directory, "../config.json"))
        }
        return candidates.first(where: exists)
    }
}
