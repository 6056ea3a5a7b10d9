import JSON

/// A state_dict in a `.pt` file as `torch.save` writes it: a zip with a pickle and raw storages, or the format from before
/// PyTorch 1.6.
///
/// No code of the pickle is ever run. Row-major tensors stay in the mapped file; others are copied.
public struct TorchFile: Sendable {
    public let path: String
    package let tensors: [ExactText: HostTensor]
    /// What is there beside tensors, or as tensors that aren't read, by name: "of type float8_e4m3fn", "a quantized tensor".
    package let unread: [ExactText: String]

    /// Opens the file, reads its pickle and checks that every tensor lies within its storage.
    /// - Throws: `CheckpointError`: of kind `unsafe` if the pickle asks for code to be run.
    public init(_ path: String) throws {
        let file = try MappedFile(path)
        if LegacyTorchFile.isOne(file) {
            let legacy = try LegacyTorchFile(file)
            try self.init(file, legacy.state) { legacy.storages[$0] }
        } else {
            try Self.requireZip(file)
            let archive = try ZipArchive(file)
            let prefix = try Self.prefix(archive, path)
            try self.init(file, Self.state(archive, prefix, path)) { archive.entries["\(prefix)/data/\($0)"] }
        }
    }

    private init(_ file: MappedFile, _ state: PickledState, storage: (String) -> MappedRegion?) throws {
        var tensors: [ExactText: HostTensor] = [:]
        // Copies of strided tensors that share a storage could add up to far more than the file; honest ones do not.
        var copyBudget = file.size
        let sorted = state.tensors.sorted { $0.key.text.utf8.lexicographicallyPrecedes($1.key.text.utf8) }
        for (name, tensor) in sorted {
            guard let storage = storage(tensor.storage.key) else {
                throw CheckpointError(
                    .malformed, file.path,
                    "the data of \(quoted(name.text)) is missing from the archive; download it again")
            }
            let view = try StridedView(name: name.text, tensor, storage)
            tensors[name] = try view.tensor(copyBudget: &copyBudget)
        }
        path = file.path
        self.tensors = tensors
        unread = state.others
    }

    private static func state(_ archive: ZipArchive, _ prefix: String, _ path: String) throws -> PickledState {
        if let order = archive.entries["\(prefix)/byteorder"] {
            guard order.withBytes({ $0.elementsEqual("little".utf8) }) else {
                throw CheckpointError(
                    .unsupported, path, "was saved on a big-endian machine; save it again on a little-endian one")
            }
        }
        guard let pickle = archive.entries["\(prefix)/data.pkl"] else {
            throw CheckpointError(.malformed, path, "has no data.pkl")
        }
        return try pickle.withBytes { try Unpickler.stateDictionary($0, file: path) }
    }

    private static func requireZip(_ file: MappedFile) throws {
        let start = file.contents.withBytes { [UInt8]($0.prefix(4)) }
        if start.starts(with: [UInt8]("PK\u{3}\u{4}".utf8)) { return }
        throw CheckpointError(.malformed, file.path, "is not a file that torch.save wrote (no zip archive)")
    }

    /// The one folder at the archive's top that holds `data.pkl`.
    private static func prefix(_ archive: ZipArchive, _ path: String) throws -> String {
        let suffix = "/data.pkl"
        let prefixes = archive.entries.keys.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
            .filter { !$0.contains("/") }
        guard let prefix = prefixes.first, prefixes.count == 1 else {
            throw CheckpointError(
                .malformed, path, "holds \(prefixes.count) data.pkl, expected one; is it a torch file?")
        }
        return prefix
    }
}
