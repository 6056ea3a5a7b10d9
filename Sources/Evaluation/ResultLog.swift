import Foundation
import JSON

/// One answered question, as it is recorded.
public struct EvaluationResult: Sendable, Codable, Equatable {
    public var id: String
    public var mode: String
    public var subject: String?
    public var question: String
    public var expected: String
    /// Nil where nothing in the answer could be read as one.
    public var predicted: String?
    public var correct: Bool
    public var text: String
    public var tokens: Int
    public var background_tokens: Int
    public var sequential_steps: Int
    /// Seconds; of a batch, until all of its questions had their first, and their last, token.
    public var ttft_s: Double
    public var total_s: Double
    /// How many questions were asked together, this one included; nil for one that was asked alone.
    public var batch: Int?

    public init(
        id: String, mode: String, subject: String?, question: String, expected: String, predicted: String?,
        correct: Bool, text: String, tokens: Int, background_tokens: Int, sequential_steps: Int, ttft_s: Double,
        total_s: Double, batch: Int? = nil
    ) {
        self.id = id
        self.mode = mode
        self.subject = subject
        self.question = question
        self.expected = expected
        self.predicted = predicted
        self.correct = correct
        self.text = text
        self.tokens = tokens
        self.background_tokens = background_tokens
        self.sequential_steps = sequential_steps
        self.ttft_s = ttft_s
        self.total_s = total_s
        self.batch = batch
    }

    var key: ResultLog.Key { ResultLog.Key(id: id, mode: mode) }
}

/// Results in a file of JSON lines, written as they come, so that an evaluation can go on where it was interrupted.
///
/// The first line says what was evaluated and how; results of another evaluation are never mixed in.
public final class ResultLog {
    struct Key: Hashable {
        var id: String
        var mode: String
    }

    public private(set) var results: [EvaluationResult] = []
    private let handle: FileHandle?
    private let path: String
    private let encoder: JSONEncoder

    /// Keeps results in memory only.
    public init() {
        handle = nil
        path = ""
        encoder = JSONEncoder()
    }

    /// Opens or begins a file.
    ///
    /// - Parameter settings: what the results depend on.
    /// - Throws: `EvaluationError` for a file that can't be written, or that holds something else.
    public init(path: String, settings: [String: String]) throws {
        self.path = path
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if !FileManager.default.fileExists(atPath: path) {
            guard FileManager.default.createFile(atPath: path, contents: nil) else {
                throw EvaluationError(path, "can't be created; does its folder exist?")
            }
        }
        guard let file = FileHandle(forUpdatingAtPath: path) else {
            throw EvaluationError(path, "can't be written; is it a file of your own?")
        }
        handle = file
        let data = try file.readToEnd() ?? Data()
        // What an interruption cut off within a line is asked again.
        let end = data.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        try file.truncate(atOffset: UInt64(end))
        var lines = data[..<end].split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
        if let first = lines.popFirst() {
            guard let header = try? JSONDecoder().decode(Header.self, from: Data(first)) else {
                throw EvaluationError(path, line: 1, "is no evaluation's results; give another --output")
            }
            for (name, value) in settings.sorted(by: { $0.key < $1.key }) where header.evaluation[name] != value {
                throw EvaluationError(
                    path, line: 1,
                    "holds results with \(name) \(header.evaluation[name] ?? "unknown"), now it is \(value); "
                        + "give another --output, or delete it")
            }
        } else {
            try file.write(contentsOf: try encoder.encode(Header(evaluation: settings)) + [0x0A])
        }
        for (index, line) in lines.enumerated() {
            guard let result = try? JSONDecoder().decode(EvaluationResult.self, from: Data(line)) else {
                throw EvaluationError(path, line: index + 2, "is no result; is the file damaged?")
            }
            results.append(result)
        }
    }

    private struct Header: Codable {
        var evaluation: [String: String]
    }

    /// Whether a question was answered in a mode.
    public func contains(id: String, mode: String) -> Bool { keys.contains(Key(id: id, mode: mode)) }

    private lazy var keys: Set<Key> = Set(results.map(\.key))

    /// - Throws: `EvaluationError` when the disk is full or the like.
    public func append(_ result: EvaluationResult) throws {
        if let handle {
            do {
                try handle.write(contentsOf: try encoder.encode(result) + [0x0A])
            } catch {
                throw EvaluationError(path, "can't be written: \(error.localizedDescription)")
            }
        }
        keys.insert(result.key)
        results.append(result)
    }
}
