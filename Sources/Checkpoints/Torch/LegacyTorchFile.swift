/// A file as `torch.save` wrote it before PyTorch 1.6, and still does where it is asked to: five pickles (a magic number, the
/// format's version, the machine, the object, the keys of its storages), and then the storages in the order of the keys, each
/// its number of elements and its bytes.
struct LegacyTorchFile {
    /// The first pickle: protocol 2, an integer of ten bytes, the end.
    private static let magic: [UInt8] = [
        0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
    ]
    private static let version = 1001

    let state: PickledState
    /// By key.
    let storages: [String: MappedRegion]

    static func isOne(_ file: MappedFile) -> Bool {
        file.contents.withBytes { $0.prefix(magic.count).elementsEqual(magic) }
    }

    /// - Throws: `CheckpointError`, of kind `unsafe` if a pickle asks for code to be run.
    init(_ file: MappedFile) throws {
        let path = file.path
        func malformed(_ problem: String) -> CheckpointError { CheckpointError(.malformed, path, problem) }
        var offset = Self.magic.count
        func next() throws -> Unpickler {
            let rest = try file.region(offset: offset, count: min(Unpickler.maximumSize, file.size - offset))
            let unpickler = try rest.withBytes { try Unpickler.run($0, file: path) }
            offset += unpickler.consumed
            return unpickler
        }
        guard case .int(Self.version) = try next().result else {
            throw malformed(
                "is of a version of PyTorch's older format that is not known; save it again with a current one")
        }
        guard try next().flag("little_endian") ?? true else {
            throw CheckpointError(
                .unsupported, path, "was saved on a big-endian machine; save it again on a little-endian one")
        }
        state = try next().state()
        guard let keys = try next().texts() else { throw malformed("lacks the list of its storages") }
        var storages: [String: MappedRegion] = [:]
        for key in keys {
            guard let storage = state.storages[key], storages[key] == nil else {
                throw malformed("has data that belongs to no tensor, or twice to one; download or save it again")
            }
            let count = try file.region(offset: offset, count: 8).withBytes { bytes in
                Int(truncatingIfNeeded: Int64(littleEndian: bytes.loadUnaligned(as: Int64.self)))
            }
            offset += 8
            let size = count.multipliedReportingOverflow(by: storage.elements?.size ?? 1)
            guard count >= 0, !size.overflow else { throw malformed("claims a storage of \(count) elements") }
            storages[key] = try file.region(offset: offset, count: size.partialValue)
            offset += size.partialValue
        }
        self.storages = storages
    }
}
