import Foundation
import JSON

/// The bytes of a question file, and the text in them.
enum QuestionSource {
    /// - Parameter path: `-` for standard input.
    /// - Throws: `EvaluationError`.
    static func bytes(_ path: String) throws -> Data {
        let descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code = errno
            let isMissing = code == ENOENT || code == ENOTDIR
            throw EvaluationError(
                path,
                isMissing
                    ? "no such file; give questions as JSON lines, JSON or CSV"
                    : "can't be read: \(String(cString: strerror(code)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
            throw EvaluationError(path, "is a folder; give a file of questions as JSON lines, JSON or CSV")
        }
        var data = Data()
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = chunk.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw EvaluationError(path, "can't be read: \(String(cString: strerror(errno)))")
            }
            if count == 0 { return data }
            data.append(contentsOf: chunk[..<count])
            // A device may never end.
            guard data.count <= QuestionFile.maximumSize else {
                throw EvaluationError(path, "is larger than \(QuestionFile.maximumSize) bytes; at most these are read")
            }
        }
    }

    /// The text, without its byte-order mark.
    ///
    /// - Throws: `EvaluationError` that names another kind of file, and how to turn it into one of questions.
    static func text(_ data: Data, _ name: String) throws -> String {
        let head = [UInt8](data.prefix(512))
        if let kind = otherKind(head, name) { throw EvaluationError(name, kind) }
        let body = head.starts(with: [0xEF, 0xBB, 0xBF]) ? data.dropFirst(3) : data
        guard let text = String(validating: body, as: UTF8.self) else {
            throw EvaluationError(
                name, "is not UTF-8; convert it first, such as from Windows' encoding: iconv -f CP1252 -t UTF-8 \(name)"
            )
        }
        guard !text.hasEndlessMarks else {
            throw EvaluationError(name, "has more than \(String.maximumMarksInRow) combining marks in a row")
        }
        return text
    }

    /// What a file is instead, by its first bytes, and the command that makes questions of it.
    private static func otherKind(_ head: [UInt8], _ name: String) -> String? {
        func begins(_ text: String) -> Bool { head.starts(with: Array(text.utf8)) }
        func piped(_ command: String) -> String { "\(command) \(name) | c2c-vk eval --questions -" }
        func converted(_ encoding: String) -> String {
            "is \(encoding), not UTF-8; convert it first: " + piped("iconv -f \(encoding) -t UTF-8")
        }
        if head.starts(with: [0x1F, 0x8B]) { return "is compressed; try \(piped("gunzip -c"))" }
        if head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return "is compressed; try \(piped("zstd -dc"))" }
        if head.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]) { return "is compressed; try \(piped("xz -dc"))" }
        if begins("BZh") { return "is compressed; try \(piped("bunzip2 -c"))" }
        if head.starts(with: [0x50, 0x4B, 3, 4]) {
            return "is a ZIP archive, or a spreadsheet; unzip it, or save the sheet as CSV"
        }
        if begins("PAR1") {
            return "is a Parquet file; make JSON lines of it: python3 -c \"import pandas; "
                + "pandas.read_parquet('\(name)').to_json('questions.jsonl', orient='records', lines=True)\""
        }
        if begins("ARROW1") || head.starts(with: [0xFF, 0xFF, 0xFF, 0xFF]) {
            return "is an Arrow file; make JSON lines of it: python3 -c \"import datasets; "
                + "datasets.Dataset.from_file('\(name)').to_json('questions.jsonl')\""
        }
        if begins("SQLite format 3") { return "is an SQLite database; export the table as CSV" }
        if begins("version https://git-lfs") {
            return "is a Git LFS pointer, not the file itself; fetch it with: git lfs pull"
        }
        if head.starts(with: [0xFF, 0xFE, 0, 0]) || head.starts(with: [0, 0, 0xFE, 0xFF]) {
            return converted("UTF-32")
        }
        if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) { return converted("UTF-16") }
        // Without a mark: ASCII text in 16 bits has a zero in every other byte.
        let zeros = (0..<2).map { start in
            stride(from: start, to: min(head.count, 64) & ~1, by: 2).map { head[$0] == 0 }
        }
        if let first = zeros[0].first, let second = zeros[1].first, first != second {
            if zeros[1].allSatisfy({ $0 }) { return converted("UTF-16LE") }
            if zeros[0].allSatisfy({ $0 }) { return converted("UTF-16BE") }
        }
        let start = String(decoding: head.prefix(64), as: UTF8.self).lowercased().drop(while: \.isWhitespace)
        if start.hasPrefix("<!doctype") || start.hasPrefix("<html") {
            return "is a web page, not a file of questions; download the file itself"
        }
        return nil
    }
}
