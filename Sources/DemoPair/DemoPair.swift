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

    /// Unpacks the files, unless an earlier run did.
    ///
    /// - Parameter cache: a directory of the user's own; temporary files serve where it can't be written.
    /// - Throws: `DemoPairError` where neither can be.
    public init(cache: URL?) throws {
        let temporary = FileManager.default.temporaryDirectory.appending(path: "c2c-vk-\(getuid())")
        var reason = ""
        for parent in [cache, temporary].compactMap({ $0 }) {
            let target = parent.appending(path: "demo-pair-\(EmbeddedFiles.fingerprint)")
            if FileManager.default.fileExists(atPath: target.path) {
                directory = target
                return
            }
            do {
                try Self.unpack(to: target, in: parent)
                directory = target
                return
            } catch {
                reason = "\(parent.path): \(error.localizedDescription)"
            }
        }
        throw DemoPairError(
            description: "the demo pair can't be unpacked; \(reason); set XDG_CACHE_HOME to a writable folder")
    }

    /// The folder appears with all its files or not at all, also when two programs unpack at once.
    private static func unpack(to target: URL, in parent: URL) throws {
        let manager = FileManager.default
        let draft = parent.appending(path: "draft-\(UUID().uuidString)")
        defer { try? manager.removeItem(at: draft) }
        for (path, contents) in EmbeddedFiles.all {
            let file = draft.appending(path: path)
            try manager.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            let text = contents.withUTF8Buffer { Data($0) }
            guard let data = Data(base64Encoded: text) else { preconditionFailure("\(path) was embedded wrongly") }
            try data.write(to: file)
        }
        do {
            try manager.moveItem(at: draft, to: target)
        } catch  where manager.fileExists(atPath: target.path) {}
    }
}

/// Why the demo pair can't be used.
public struct DemoPairError: Error, CustomStringConvertible {
    public let description: String
}
