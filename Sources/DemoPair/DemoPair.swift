import Foundation

/// A small trained pair that comes with the program: a sharer that knows made-up people, a receiver that has learnt to answer
/// but none of the facts, and the fuser between them.
///
/// Its files are unpacked once, into the user's cache, so that they are read as any other checkpoint is.
public struct DemoPair {
    /// Holds `receiver/`, `sharer/`, `fuser/`, `questions.jsonl` and `results.json`.
    public let directory: URL

    public var receiver: URL { directory.appending(path: "receiver") }
    public var sharer: URL { directory.appending(path: "sharer") }
    public var fuser: URL { directory.appending(path: "fuser") }
    /// About people the fuser never saw in training.
    public var questions: URL { directory.appending(path: "questions.jsonl") }
    /// What the training tool measured.
    public var results: URL { directory.appending(path: "results.json") }

    /// Unpacks the files, unless an earlier run did and nobody has cleaned up since.
    ///
    /// - Parameter cache: a directory that can be written; nil where there is none.
    /// - Throws: `DemoPairError`.
    public init(cache: URL?) throws {
        let advice = "set XDG_CACHE_HOME to a folder that can be written"
        guard let cache else {
            throw DemoPairError(description: "there is no place to unpack the demo pair; \(advice)")
        }
        directory = cache.appending(path: "demo-pair-\(EmbeddedFiles.fingerprint)")
        guard !isWhole else { return }
        do {
            try unpack(in: cache)
        } catch {
            throw DemoPairError(
                description:
                    "the demo pair can't be unpacked in \(cache.path): \(error.localizedDescription); \(advice)")
        }
    }

    /// Whether every file is there, as long as it should be.
    private var isWhole: Bool {
        EmbeddedFiles.all.allSatisfy { path, contents in
            let file = directory.appending(path: path)
            let size = try? file.resourceValues(forKeys: [.fileSizeKey]).fileSize
            return size == Self.decodedSize(contents)
        }
    }

    /// Bytes that base64 text stands for.
    private static func decodedSize(_ text: StaticString) -> Int {
        text.withUTF8Buffer { bytes in
            bytes.count / 4 * 3 - bytes.suffix(2).count { $0 == UInt8(ascii: "=") }
        }
    }

    /// The folder appears with all its files or not at all, also when several programs unpack at once: one at a time does, and
    /// each sees first whether another has.
    private func unpack(in parent: URL) throws {
        let manager = FileManager.default
        try manager.createDirectory(at: parent, withIntermediateDirectories: true)
        let lock = open(parent.appending(path: "demo-pair.lock").path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        defer { if lock >= 0 { close(lock) } }
        // Where a file system has no locks, the last look below has to do.
        if lock >= 0 { _ = flock(lock, LOCK_EX) }
        guard !isWhole else { return }
        let draft = parent.appending(path: "draft-\(UUID().uuidString)")
        defer { try? manager.removeItem(at: draft) }
        for (path, contents) in EmbeddedFiles.all {
            let file = draft.appending(path: path)
            try manager.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            let text = contents.withUTF8Buffer { Data($0) }
            guard let data = Data(base64Encoded: text) else { preconditionFailure("\(path) was embedded wrongly") }
            try data.write(to: file)
        }
        // What a cleaner left of it goes first.
        guard !isWhole else { return }
        try? manager.removeItem(at: directory)
        do {
            try manager.moveItem(at: draft, to: directory)
        } catch  where isWhole {}
    }
}

/// Why the demo pair can't be used.
public struct DemoPairError: Error, CustomStringConvertible {
    public let description: String
}
