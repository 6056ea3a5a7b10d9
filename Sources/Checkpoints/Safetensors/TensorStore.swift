import Foundation
import JSON

/// The tensors of a checkpoint directory, in one safetensors file or in several with an index.
///
/// Read, in this order: `model.safetensors`; `model.safetensors.index.json` and the shards it names, each opened when a
/// tensor of it is first asked for; the only `*.safetensors` in the directory. A tensor that the index forgets, or places
/// wrongly, is found in whichever shard holds it. Safe to use from several threads.
public final class TensorStore: @unchecked Sendable {
    // Unchecked because of `shards` and `found`, which are only touched under `lock`.

    public let directory: String
    /// File name of the shard that holds a tensor, as the index says.
    private let shardNames: [ExactText: String]
    private var shards: [String: SafetensorsFile]
    /// What the shards themselves hold, once it was asked for.
    private var found: [ExactText: String]?
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
    }

    /// Every tensor, in the order of the names' bytes.
    public var names: [String] {
        Set(shardNames.keys).union(contents().keys).map(\.text)
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    public func contains(_ name: String) -> Bool {
        shardNames[ExactText(name)] != nil || contents()[ExactText(name)] != nil
    }

    /// The tensor of that name, over the mapped file (nothing is copied).
    /// - Throws: `CheckpointError` if there is no such tensor, it is of a type that isn't read, or its shard is missing,
    ///   invalid or lacks it.
    public func tensor(_ name: String) throws -> HostTensor {
        try holder(of: name).tensor(name)
    }

    /// What the files say about a tensor, whatever its type.
    /// - Throws: `CheckpointError` if there is no such tensor, or its shard is missing, invalid or lacks it.
    public func facts(_ name: String) throws -> TensorFacts {
        let shard = try holder(of: name)
        guard let facts = shard.facts(name) else {
            throw CheckpointError(.missing, shard.path, "has no tensor \(quoted(name))")
        }
        return facts
    }

    /// The file that holds a tensor.
    private func holder(of name: String) throws -> SafetensorsFile {
        let exact = ExactText(name)
        let placed = try shardNames[exact].map(shard)
        if let placed, placed.contains(name) { return placed }
        if let other = contents()[exact] { return try shard(other) }
        guard let placed else {
            throw CheckpointError(.missing, directory, "the checkpoint has no tensor \(quoted(name))")
        }
        throw CheckpointError(
            .malformed, placed.path, "lacks the tensor \(quoted(name)) that the index places here; download it again")
    }

    /// The shard of every tensor in those shards that can be opened.
    private func contents() -> [ExactText: String] {
        if let known = lock.withLock({ found }) { return known }
        var all: [ExactText: String] = [:]
        for name in Set(shardNames.values).sorted() {
            // One that is missing or damaged is an error for who asks for a tensor that is in it.
            for tensor in (try? shard(name))?.tensors ?? [] { all[ExactText(tensor.name)] = name }
        }
        lock.withLock { found = all }
        return all
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
    ) throws -> (names: [ExactText: String], shards: [String: SafetensorsFile]) {
        let file = try SafetensorsFile(join(directory, name))
        return (Dictionary(uniqueKeysWithValues: file.tensors.map { (ExactText($0.name), name) }), [name: file])
    }

    private static func index(_ path: String) throws -> [ExactText: String] {
        let map = try ConfigFile(path).root.object("weight_map")
        var result: [ExactText: String] = [:]
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
            result[ExactText(name)] = shard
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
