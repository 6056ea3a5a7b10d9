import Foundation

/// What names a repository on Hugging Face, or a folder in one: `nics-efc/C2C_Fuser@main/qwen3_0.6b+qwen2.5_0.5b_Fuser`, or the
/// address of its page.
struct HubReference: Equatable {
    /// Nil for the few repositories of the early days that have none, such as `gpt2`.
    var organization: String?
    var repository: String
    var revision: String?
    var subfolder: String?
    /// Whether `subfolder` ends in a file's name, as addresses with `/blob/` and `/resolve/` do.
    var namesFile = false

    /// Nil for what is no such name, such as a path.
    init?(_ name: String) {
        if let address = Self.path(ofAddress: name) {
            self.init(addressPath: address)
        } else {
            // As huggingface_hub's file systems write it.
            self.init(plain: name.hasPrefix("hf://") ? String(name.dropFirst("hf://".count)) : name)
        }
        let words = [organization, repository].compactMap { $0 }
        guard words.allSatisfy(Self.isWord),
            (revision ?? "x").split(separator: "/").allSatisfy({ Self.isWord(String($0)) })
        else { return nil }
    }

    /// `ORG/REPO@REVISION/SUBFOLDER`; the revision may also stand at the end.
    private init?(plain name: String) {
        var parts = Self.parts(name)
        guard parts.allSatisfy(Self.isStep), let first = parts.first, !first.hasPrefix("~"), !name.hasPrefix("/") else {
            return nil
        }
        // The revision stands behind the repository, or at the end.
        let place = min(parts.count - 1, 1)
        let end = parts.count - 1
        if end > 1, !parts[1].contains("@"), let mark = parts[end].lastIndex(of: "@") {
            parts[1] += parts[end][mark...]
            parts[end].removeSubrange(mark...)
            guard !parts[end].isEmpty else { return nil }
        }
        let fields = parts[place].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard !fields.contains("") else { return nil }
        organization = parts.count > 1 ? parts[0] : nil
        repository = fields[0]
        revision = fields.count > 1 ? Self.decoded(fields[1]) : nil
        subfolder = parts.count > 2 ? parts[2...].joined(separator: "/") : nil
    }

    /// `ORG/REPO`, `ORG/REPO/tree/REVISION/SUBFOLDER`, or with `blob` or `resolve` the same of a file.
    private init?(addressPath: String) {
        var parts = Self.parts(addressPath).map(Self.decoded)
        guard parts.count >= 2, !parts.contains("") else { return nil }
        (organization, repository) = (parts[0], parts[1])
        parts.removeFirst(2)
        guard let view = parts.first else { return }
        guard ["tree", "blob", "resolve", "raw"].contains(view), parts.count > 1 else {
            // Other tabs of a repository's page: files, discussions, settings.
            return
        }
        parts.removeFirst()
        // `refs/pr/1` is one revision, also where its slashes aren't encoded.
        let length = parts[0] == "refs" && parts.count > 2 ? 3 : 1
        revision = parts.prefix(length).joined(separator: "/")
        parts.removeFirst(length)
        let steps = parts.flatMap { Self.parts($0) }
        guard steps.allSatisfy(Self.isStep) else { return nil }
        subfolder = steps.isEmpty ? nil : steps.joined(separator: "/")
        namesFile = view != "tree" && subfolder != nil
    }

    /// What follows the host in a web address of Hugging Face; nil for anything else.
    static func path(ofAddress name: String) -> String? {
        var rest = name[...]
        var isAddress = false
        for scheme in ["https://", "http://"] where rest.lowercased().hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
            isAddress = true
        }
        let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard ["huggingface.co", "www.huggingface.co", "hf.co"].contains(host.lowercased()) else { return nil }
        rest = rest.dropFirst(host.count)
        guard isAddress || rest.hasPrefix("/") else { return nil }
        return String(rest.prefix { $0 != "?" && $0 != "#" })
    }

    /// The steps of a path, without slashes at its ends.
    private static func parts(_ path: String) -> [String] {
        var path = path[...]
        while path.hasSuffix("/") { path = path.dropLast() }
        while path.hasPrefix("/") { path = path.dropFirst() }
        return path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    }

    /// `%2B` as `+` (RFC 3986); as it is where that gives no text.
    private static func decoded(_ text: String) -> String { text.removingPercentEncoding ?? text }

    private static func isStep(_ step: String) -> Bool { !step.isEmpty && step != "." && step != ".." }

    private static func isWord(_ word: String) -> Bool {
        let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_."))
        return isStep(word) && word.unicodeScalars.allSatisfy { $0.isASCII && allowed.contains($0) }
    }

    /// As people write it: `ORG/REPO`.
    var name: String { (organization.map { "\($0)/" } ?? "") + repository }

    /// The folder of the repository in a cache.
    var folder: String { "models--" + (organization.map { "\($0)--" } ?? "") + repository }

    /// Where in the repository it may be: as written, and with what looks percent-encoded decoded.
    var subfolders: [String] {
        guard let subfolder else { return [] }
        let plain = Self.decoded(subfolder)
        let isSafe = plain.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            Self.isStep(String($0))
        }
        return plain == subfolder || !isSafe ? [subfolder] : [subfolder, plain]
    }

    /// The command that brings it into the cache.
    var download: String {
        var place = subfolders.last
        if namesFile {
            place = place.map { ($0 as NSString).deletingLastPathComponent }.flatMap { $0.isEmpty ? nil : $0 }
        }
        return "hf download \(name)" + (revision.map { " --revision \($0)" } ?? "")
            + (place.map { " --include \"\($0)/*\"" } ?? "")
    }
}
