/// A state_dict in a `.pt` file as `torch.save` writes it since PyTorch 1.6: a zip with a pickle and raw storages.
///
/// No code of the pickle is ever run. Row-major tensors stay in the mapped file; others are copied.
public struct TorchFile: Sendable {
    public let path: String
    public let tensors: [String: HostTensor]

    /// Opens the file, reads its pickle and checks that every tensor lies within its storage.
    /// - Throws: `CheckpointError`: of kind `unsafe` if the pickle asks for code to be run.
    public init(_ path: String) throws {
        let file = try MappedFile(path)
        try Self.requireZip(file)
        let archive = try ZipArchive(file)
        let prefix = try Self.prefix(archive, path)
        if let order = archive.entries["\(prefix)/byteorder"] {
            guard order.withBytes({ $0.elementsEqual("little".utf8) }) else {
                throw CheckpointError(
                    .unsupported, path, "was saved on a big-endian machine; save it again on a little-endian one")
            }
        }
        guard let pickle = archive.entries["\(prefix)/data.pkl"] else {
            throw CheckpointError(.malformed, path, "has no data.pkl")
        }
        let pickled = try pickle.withBytes { try Unpickler.stateDictionary($0, file: path) }

        var tensors: [String: HostTensor] = [:]
        // Copies of strided tensors that share a storage could add up to far more than the file; honest ones do not.
        var copyBudget = file.size
        for (name, tensor) in pickled.sorted(by: { $0.key < $1.key }) {
            guard let storage = archive.entries["\(prefix)/data/\(tensor.storage.key)"] else {
                throw CheckpointError(
                    .malformed, path, "the data of \(quoted(name)) is missing from the archive; download it again")
            }
            let view = try StridedView(name: name, tensor, storage)
            tensors[name] = try view.tensor(copyBudget: &copyBudget)
        }
        self.path = path
        self.tensors = tensors
    }

    private static func requireZip(_ file: MappedFile) throws {
        let start = file.contents.withBytes { [UInt8]($0.prefix(4)) }
        if start.starts(with: [UInt8]("PK\u{3}\u{4}".utf8)) { return }
        if start.first == 0x80 {
            throw CheckpointError(
                .unsupported, file.path,
                "is in PyTorch's format from before 1.6; save it again with a current one: "
                    + "torch.save(torch.load(FILE, weights_only=True), FILE)")
        }
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
