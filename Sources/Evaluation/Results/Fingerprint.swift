import Foundation

/// What tells questions, and models' files, from others of the same name.
public enum Fingerprint {
    /// Of everything that is asked, in its order.
    public static func of(_ questions: [EvaluationQuestion]) -> String {
        var hash = SHA256()
        for question in questions {
            hash.update(question.id)
            hash.update(AnswerText.prompt(for: question))
            hash.update(question.question)
            hash.update("\(question.choices.count)")
            hash.update("\(question.expected)")
            hash.update(question.subject ?? "")
        }
        return hash.hexadecimal()
    }

    /// Of a model's or a fuser's directory: names and sizes of its files, and parts of each from its start to its end. A file of
    /// many gigabytes takes no longer than one of a few kilobytes, and training changes nearly all of a file's bytes.
    ///
    /// - Throws: `EvaluationError` for a file that can't be read.
    public static func of(directory: String) throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            .filter { name in
                [".json", ".safetensors", ".pt", ".jinja", ".bin", ".txt"].contains { name.hasSuffix($0) }
            }.sorted()
        var hash = SHA256()
        for name in names {
            let path = URL(filePath: directory).appending(path: name).path
            guard let file = FileHandle(forReadingAtPath: path), let size = try? file.seekToEnd() else {
                throw EvaluationError(path, "can't be read")
            }
            hash.update(name)
            hash.update("\(size)")
            // All of a small one.
            if size <= Self.part * Self.parts {
                try? file.seek(toOffset: 0)
                hash.update((try? file.readToEnd()) ?? Data())
                continue
            }
            for part in 0..<Self.parts {
                // The first at the start, the last at the end.
                try? file.seek(
                    toOffset: part == Self.parts - 1 ? size - Self.part : (size - Self.part) / (Self.parts - 1) * part)
                hash.update((try? file.read(upToCount: Int(Self.part))) ?? Data())
            }
        }
        return hash.hexadecimal()
    }

    /// Bytes that are read at each of `parts` places.
    private static let part: UInt64 = 4096
    private static let parts: UInt64 = 16
}
