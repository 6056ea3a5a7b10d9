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

    /// The directory that a name on the command line stands for: itself where there is such a directory (the newest snapshot where
    /// it is a repository's folder in a cache), else a repository of the cache, as `ORG/REPO`, `ORG/REPO@REVISION`,
    /// `ORG/REPO@REVISION/SUBFOLDER`, `ORG/REPO/SUBFOLDER@REVISION`, or the address of its page.
    ///
    /// - Throws: `CheckpointError` (`missing`) which says how to download it, and what there is of nearly the same name.
    public func resolve(_ name: String) throws -> String {
        if exists(name) { return try snapshot(inFolder: name) }
        // A folder's name as it stands in a web address.
        if let plain = name.removingPercentEncoding, plain != name, exists(plain) {
            return try snapshot(inFolder: plain)
        }
        let page = HubReference.path(ofAddress: name)?.split(separator: "/").first
        if let page, page == "datasets" || page == "spaces" {
            throw CheckpointError(.unsupported, name, "is the address of one of the \(page), not of a model or fuser")
        }
        guard let reference = HubReference(name) else {
            throw CheckpointError(
                .missing, name, "no such directory, nor a name in the Hugging Face cache, which are as ORG/REPO")
        }
        let repository = join(directory, reference.folder)
        let revision = reference.revision ?? "main"
        guard isDirectory(repository), let commit = commit(of: revision, in: repository) else {
            let near = isDirectory(repository) ? "" : suggestion(NearNames.of(reference.name, among: repositories))
            guard reference.organization != nil else {
                throw CheckpointError(
                    .missing, name,
                    "no such directory, nor a name in the Hugging Face cache, which are as ORG/REPO" + near)
            }
            throw CheckpointError(
                .missing, name,
                "no such directory, and not in the Hugging Face cache \(directory)\(near); get it with: "
                    + reference.download)
        }
        let snapshot = join(join(repository, "snapshots"), commit)
        guard let path = place(reference, in: snapshot) else {
            let folders = Self.folders(of: snapshot)
            let near = suggestion(
                NearNames.of(reference.subfolders.last ?? "", among: folders).map { "\(reference.name)/\($0)" })
            throw CheckpointError(
                .missing, name,
                "revision \(revision) in \(directory) has no such files\(near); get them with: \(reference.download)")
        }
        return path
    }

    private func suggestion(_ names: [String]) -> String {
        names.isEmpty ? "" : "; did you mean \(names.joined(separator: " or "))?"
    }

    /// The directory within a snapshot; nil where there is none.
    private func place(_ reference: HubReference, in snapshot: String) -> String? {
        guard !reference.subfolders.isEmpty else { return isDirectory(snapshot) ? snapshot : nil }
        for path in reference.subfolders.map({ join(snapshot, $0) }) {
            if isDirectory(path) { return path }
            let folder = (path as NSString).deletingLastPathComponent
            if reference.namesFile, exists(path), isDirectory(folder) { return folder }
        }
        return nil
    }

    /// The repositories in the cache, as `ORG/REPO`.
    private var repositories: [String] {
        Self.folders(of: directory).filter { $0.hasPrefix("models--") }
            .map { $0.dropFirst("models--".count).replacing("--", with: "/", maxReplacements: 1) }.map(String.init)
    }

    /// The folders in a folder, sorted.
    private static func folders(of path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
            .filter { isDirectory(join(path, $0)) }
    }

    // MARK: Folders of a cache

    /// A repository's folder in a cache stands for its snapshot; any other path for itself.
    private func snapshot(inFolder path: String) throws -> String {
        guard isDirectory(path) else { return path }
        var repository = path
        while repository.count > 1, repository.hasSuffix("/") { repository.removeLast() }
        if lastComponent(repository) == "snapshots" { repository = (repository as NSString).deletingLastPathComponent }
        let snapshots = join(repository, "snapshots")
        guard lastComponent(repository).hasPrefix("models--"), isDirectory(snapshots) else {
            try Self.refuseCache(path)
            return path
        }
        if let commit = commit(of: "main", in: repository), isDirectory(join(snapshots, commit)) {
            return join(snapshots, commit)
        }
        let all = Self.folders(of: snapshots)
        guard let only = all.first, all.count == 1 else {
            throw CheckpointError(
                .missing, path,
                all.isEmpty
                    ? "is a repository's folder in a Hugging Face cache, but holds no snapshot; download it again"
                    : "holds \(all.count) snapshots and doesn't say which is main; give one: "
                        + all.prefix(3).map { join(snapshots, $0) }.joined(separator: ", "))
        }
        return join(snapshots, only)
    }

    /// - Throws: `CheckpointError` for a whole cache, with what is in it.
    private static func refuseCache(_ path: String) throws {
        for folder in [path, join(path, "hub")] {
            let models = folders(of: folder).filter { $0.hasPrefix("models--") }
            guard !models.isEmpty, !exists(join(path, "config.json")) else { continue }
            let names = models.prefix(5).map {
                String($0.dropFirst("models--".count).replacing("--", with: "/", maxReplacements: 1))
            }
            throw CheckpointError(
                .unsupported, path,
                "is a Hugging Face cache of \(models.count) repositories; name one of them: "
                    + names.joined(separator: ", ") + (models.count > names.count ? ", ..." : ""))
        }
    }

    /// The commit that a revision names: by a reference, or by its own hash.
    private func commit(of revision: String, in repository: String) -> String? {
        let hexadecimal = Set("0123456789abcdef")
        let file = join(join(repository, "refs"), revision)
        if !isDirectory(file), let handle = FileHandle(forReadingAtPath: file),
            let data = try? handle.read(upToCount: 128)
        {
            let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            return !text.isEmpty && text.allSatisfy(hexadecimal.contains) ? text : nil
        }
        guard revision.count >= 7, revision.allSatisfy(hexadecimal.contains) else { return nil }
        let snapshots = (try? FileManager.default.contentsOfDirectory(atPath: join(repository, "snapshots"))) ?? []
        let matching = snapshots.filter { $0.hasPrefix(revision) }
        return matching.count == 1 ? matching[0] : nil
    }
}
