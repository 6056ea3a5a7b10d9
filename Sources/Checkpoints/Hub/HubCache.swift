import Foundation

/// The Hugging Face cache on this machine, as `huggingface_hub` lays it out:
/// `models--ORG--REPO/refs/REVISION` names a commit, `models--ORG--REPO/snapshots/COMMIT` holds its files.
/// <https://huggingface.co/docs/huggingface_hub/guides/manage-cache>
public struct HubCache: Sendable {
    public let directory: String

    /// Where the environment puts the cache: `HF_HUB_CACHE`, `HF_HOME/hub`, `XDG_CACHE_HOME/huggingface/hub` or
    /// `~/.cache/huggingface/hub`.
    public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let home = value("HOME") ?? NSHomeDirectory()
        let path =
            value("HF_HUB_CACHE") ?? value("HUGGINGFACE_HUB_CACHE")
            ?? value("HF_HOME").map { join($0, "hub") }
            ?? value("XDG_CACHE_HOME").map { join($0, "huggingface/hub") }
            ?? join(home, ".cache/huggingface/hub")
        directory = path.hasPrefix("~/") ? join(home, String(path.dropFirst(2))) : path
    }

    /// The directory that a name on the command line stands for: itself where there is such a directory, else a repository of
    /// the cache, as `ORG/REPO`, `ORG/REPO@REVISION`, `ORG/REPO@REVISION/SUBFOLDER` or `ORG/REPO/SUBFOLDER@REVISION`.
    ///
    /// - Throws: `CheckpointError` (`missing`) which says how to download it.
    public func resolve(_ name: String) throws -> String {
        if exists(name) { return name }
        guard let reference = HubReference(name) else {
            throw CheckpointError(
                .missing, name, "no such directory, nor a name in the Hugging Face cache, which are as ORG/REPO")
        }
        let repository = join(directory, "models--\(reference.organization)--\(reference.repository)")
        let revision = reference.revision ?? "main"
        guard isDirectory(repository), let commit = commit(of: revision, in: repository) else {
            throw CheckpointError(
                .missing, name,
                "no such directory, and not in the Hugging Face cache \(directory); get it with: \(reference.download)")
        }
        let snapshot = join(join(repository, "snapshots"), commit)
        let path = reference.subfolder.map { join(snapshot, $0) } ?? snapshot
        guard isDirectory(path) else {
            throw CheckpointError(
                .missing, name,
                "revision \(revision) in \(directory) has no such files; get them with: \(reference.download)")
        }
        return path
    }

    /// The commit that a revision names: by a reference, or by its own hash.
    private func commit(of revision: String, in repository: String) -> String? {
        let hexadecimal = Set("0123456789abcdef")
        let file = join(join(repository, "refs"), revision)
        if let handle = FileHandle(forReadingAtPath: file), let data = try? handle.read(upToCount: 128) {
            let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            return !text.isEmpty && text.allSatisfy(hexadecimal.contains) ? text : nil
        }
        guard revision.count >= 7, revision.allSatisfy(hexadecimal.contains) else { return nil }
        let snapshots = (try? FileManager.default.contentsOfDirectory(atPath: join(repository, "snapshots"))) ?? []
        let matching = snapshots.filter { $0.hasPrefix(revision) }
        return matching.count == 1 ? matching[0] : nil
    }
}

/// A name such as `nics-efc/C2C_Fuser@main/qwen3_0.6b+qwen2.5_0.5b_Fuser`.
struct HubReference: Equatable {
    var organization: String
    var repository: String
    var revision: String?
    var subfolder: String?

    /// Nil for what is no such name, such as a path.
    init?(_ name: String) {
        var parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 2, !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." || $0.hasPrefix("~") })
        else { return nil }
        // The revision may also stand at the end.
        let end = parts.count - 1
        if end > 1, !parts[1].contains("@"), let mark = parts[end].lastIndex(of: "@") {
            parts[1] += parts[end][mark...]
            parts[end].removeSubrange(mark...)
            guard !parts[end].isEmpty else { return nil }
        }
        let fields = parts[1].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard !fields.contains("") else { return nil }
        organization = parts[0]
        repository = fields[0]
        revision = fields.count > 1 ? fields[1] : nil
        subfolder = parts.count > 2 ? parts[2...].joined(separator: "/") : nil
        let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_."))
        let names = organization + repository + (revision ?? "")
        guard names.unicodeScalars.allSatisfy({ $0.isASCII && allowed.contains($0) }) else { return nil }
    }

    /// The command that brings it into the cache.
    var download: String {
        "huggingface-cli download \(organization)/\(repository)" + (revision.map { " --revision \($0)" } ?? "")
            + (subfolder.map { " --include \"\($0)/*\"" } ?? "")
    }
}
