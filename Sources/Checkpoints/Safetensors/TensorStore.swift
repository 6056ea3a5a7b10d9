import Foundation

/// The tensors of a checkpoint directory, in one safetensors file or in several with an index.
///
/// Read, in this order: `model.safetensors`; `model.safetensors.index.json` and the shards it names, each opened when a
/// tensor of it is first asked for; the only `*.safetensors` in the directory. Safe to use from several threads.
public final class TensorStore: @unchecked Sendable {
    // Unchecked because of `shards`, which is only touched under `lock`.

    public let directory: String
    /// Every tensor, sorted by name.
    public let names: [String]
    /// File name of the shard that holds a tensor.
    private let shardNames: [String: String]
    private var shards: [String: SafetensorsFile]
    private let lock = NSLock()

    /// Finds the files and reads the index or the only file's header.
    /// - Throws: `CheckpointError` if there is no such directory, nothing in it to read, or the index is invalid.
    public init(_ directory: String) throws {
        try requireDirectory(directory)
        if exists(join(directory, "model.safetensors")) {
            (shardNames, shards) = try Self.single("model.safetensors", in: directory)
        } else if exists(join(directory, "model.safetensors.index.json")) {
            shardNames = try Self.index(join(directory, "model.safetensors.index.json"))
            shards = [:]
        } else {
            (shardNames, shards) = try Self.single(try Self.onlyFile(in: directory), in: directory)
        }
        self.directory = directory
        names = shardNames.keys.sorted()
    }

    public func contains(_ name: String) -> Bool {
        shardNames[name] != nil
    }

    /// The tensor of that name, over the mapped file (nothing is copied).
    /// - Throws: `CheckpointError` if there is no such tensor, or its shard is missing, invalid or lacks it.
    public func tensor(_ name: String) throws -> HostTensor {
        guard let shardName = shardNames[name] else {
            throw CheckpointError(.missing, directory, "the checkpoint has no tensor \(quoted(name))")
        }
        let shard = try shard(shardName)
        guard shard.contains(name) else {
            throw CheckpointError(
                .malformed, shard.path, "lacks the tensor \(quoted(name)) that the index places here; download it again"
            )
        }
        return try shard.tensor(name)
    }

    private func shard(_ name: String) throws -> SafetensorsFile {
        lock.lock()
        defer { lock.unlock() }
        if let open = shards[name] { return open }
        let path = join(directory, name)
        guard exists(path) else {
            throw CheckpointError(
                .missing, path, "this part of the checkpoint is missing; download the checkpoint again")
        }
        let shard = try SafetensorsFile(path)
        shards[name] = shard
        return shard
    }

    private static func single(
        _ name: String, in directory: String
    ) throws -> (names: [String: String], shards: [String: SafetensorsFile]) {
        let file = try SafetensorsFile(join(directory, name))
        return (Dictionary(uniqueKeysWithValues: file.layouts.map { ($0.name, name) }), [name: file])
    }

    private static func index(_ path: String) throws -> [String: String] {
        let map = try ConfigFile(path).root.object("weight_map")
        var result: [String: String] = [:]
        for name in map.keys {
            let shard = try map.string(name)
            // The index is as untrusted as the rest: it must not point out of the directory.
            let isPlainName =
                shard.hasSuffix(".safetensors") && !shard.hasPrefix(".") && shard.utf8.count <= 255
                && !shard.unicodeScalars.contains { $0 == "/" || $0 == "\\" || $0 == "\0" }
            guard isPlainName else {
                throw CheckpointError(
                    .malformed, path,
                    "places \(quoted(name)) in \(quoted(shard)), expected the name of a .safetensors file beside it")
            }
            result[name] = shard
        }
        return result
    }

    private static func onlyFile(in directory: String) throws -> String {
        let contents: [String]
        do {
            contents = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw CheckpointError(.inaccessible, directory, "cannot be listed")
        }
        let candidates = contents.filter { $0.hasSuffix(".safetensors") && !$0.hasPrefix(".") }.sorted()
        if let only = candidates.first, candidates.count == 1 { return only }
        guard candidates.isEmpty else {
            throw CheckpointError(
                .malformed, directory,
                "holds \(candidates.count) .safetensors files but no model.safetensors.index.json; download the index")
        }
        if contents.contains(where: { $0.hasPrefix("pytorch_model") && $0.contains(".bin") }) {
            throw CheckpointError(
                .unsupported, directory,
                "holds pytorch_model.bin, but models are read from safetensors only; convert it in Python with "
                    + "AutoModelForCausalLM.from_pretrained(DIR).save_pretrained(DIR, safe_serialization=True)")
        }
        throw CheckpointError(.missing, directory, "holds no .safetensors file; is it a checkpoint directory?")
    }
}
