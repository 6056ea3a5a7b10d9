import Foundation
import JSON

/// Results in a file of JSON lines, written as they come, so that an evaluation can go on where it was interrupted.
///
/// The first line says what was evaluated and how; results of another evaluation are never mixed in, and a file that isn't an
/// evaluation's is never changed.
public final class ResultLog {
    struct Key: Hashable {
        var id: String
        var mode: String
    }

    public private(set) var results: [EvaluationResult] = []
    /// Nil for results that are kept in memory only.
    private let file: ResultFile?
    private let encoder = JSONEncoder()
    private lazy var keys: Set<Key> = Set(results.map(\.key))

    /// Keeps results in memory only.
    public init() {
        file = nil
    }

    /// Opens or begins a file. What is no regular file, such as a pipe or `/dev/stdout`, is only written.
    ///
    /// - Parameters:
    ///   - settings: what the results depend on; of files, digests.
    ///   - names: what the digests are of, for people.
    /// - Throws: `EvaluationError` for a file that can't be written, that is in use, or that holds something else;
    ///   `ReaderGone`.
    public init(path: String, settings: [String: String], names: [String: String] = [:]) throws {
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let file = try ResultFile(path)
        self.file = file
        let header = try encoder.encode(Header(version: Header.current, evaluation: settings, names: names)) + [0x0A]
        guard let kept = try file.contents(), !kept.isEmpty else {
            try file.write(header)
            return
        }
        results = try Self.read(kept, path, settings)
        // Only now: everything before the line that an interruption cut off is this evaluation's.
        try file.removeCutOffLine(kept)
    }

    /// Whether a question was answered in a mode.
    public func contains(id: String, mode: String) -> Bool { keys.contains(Key(id: id, mode: mode)) }

    /// - Throws: `EvaluationError` when the disk is full or the like; `ReaderGone`.
    public func append(_ result: EvaluationResult) throws {
        try file?.write(try encoder.encode(result) + [0x0A])
        keys.insert(result.key)
        results.append(result)
    }

    /// Whoever read the results wants no more of them.
    public struct ReaderGone: Error {}

    // MARK: Reading

    private struct Header: Codable {
        static let current = 2

        /// Nil in files of versions that noted less of what results depend on.
        var version: Int?
        var evaluation: [String: String]
        var names: [String: String]?
    }

    private static func read(_ data: Data, _ path: String, _ settings: [String: String]) throws -> [EvaluationResult] {
        guard let end = data.firstIndex(of: 0x0A),
            let header = try? JSONDecoder().decode(Header.self, from: data[..<end])
        else {
            throw EvaluationError(
                path, line: 1, "is no evaluation's results, and is left as it is; give another --output")
        }
        guard header.version == Header.current else {
            throw EvaluationError(
                path, line: 1,
                "was written by an earlier version, which noted less of what results depend on; give another --output")
        }
        for name in Set(settings.keys).union(header.evaluation.keys).sorted() {
            let (then, now) = (header.evaluation[name], settings[name])
            guard then != now else { continue }
            // Of a digest it is enough that it is another.
            let isDigest = [then, now].allSatisfy { ($0?.count ?? 0) >= 64 && $0?.contains(" ") == false }
            throw EvaluationError(
                path, line: 1,
                isDigest
                    ? "holds results with other \(name) (\(header.names?[name] ?? "unnamed") as it was then); "
                        + "give another --output, or delete it"
                    : "holds results with \(name) \(then ?? "not set"), now it is \(now ?? "not set"); "
                        + "give another --output, or delete it")
        }
        let whole = data[end...].dropFirst().prefix(through: data.lastIndex(of: 0x0A) ?? end)
        return try whole.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast().enumerated().map {
            index, line in
            guard let result = try? JSONDecoder().decode(EvaluationResult.self, from: line) else {
                throw EvaluationError(
                    path, line: index + 2,
                    "is no result, so the file is damaged; remove the line, or give another --output")
            }
            return result
        }
    }
}
