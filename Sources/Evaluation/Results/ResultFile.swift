import Foundation

/// The file under a log of results: a regular one, locked while it is in use, or something that can only be written.
final class ResultFile {
    /// In bytes; results are far smaller than their questions.
    private static let maximumSize = 1 << 30

    private let descriptor: Int32
    private let path: String
    /// Whether it can be read, and gone on with.
    private let isRegular: Bool

    /// Opens a file, or makes one; changes nothing in it.
    ///
    /// - Throws: `EvaluationError` for what can't be written, or is in use.
    init(_ path: String) throws {
        self.path = path
        var status = stat()
        let exists = stat(path, &status) == 0
        if exists {
            switch status.st_mode & S_IFMT {
            case S_IFDIR: throw EvaluationError(path, "is a folder; give --output a file")
            case S_IFBLK: throw EvaluationError(path, "is a disk; give --output a file")
            case S_IFSOCK: throw EvaluationError(path, "is a socket; give --output a file")
            default: break
            }
        }
        // A stream that the program has already, such as /dev/stdout, goes on where it is: opened anew, a file behind it would
        // be written from its start.
        let streams = [STDOUT_FILENO, STDERR_FILENO]
        if let stream = exists ? streams.first(where: { Self.isSame($0, status) }) : nil {
            isRegular = false
            descriptor = dup(stream)
        } else {
            isRegular = !exists || status.st_mode & S_IFMT == S_IFREG
            descriptor =
                isRegular ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666) : open(path, O_WRONLY | O_CLOEXEC)
        }
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw EvaluationError(path, "can't be written: \(reason); does its folder exist, and is it yours?")
        }
        // Two that write at once would ask everything twice, and garble each other's lines.
        if isRegular, flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            throw EvaluationError(path, "is being written by another evaluation; wait for it, or give another --output")
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    private static func isSame(_ descriptor: Int32, _ status: stat) -> Bool {
        var other = stat()
        return fstat(descriptor, &other) == 0 && other.st_dev == status.st_dev && other.st_ino == status.st_ino
    }

    /// What a regular file holds; nil for anything else.
    func contents() throws -> Data? {
        guard isRegular else { return nil }
        let size = lseek(descriptor, 0, SEEK_END)
        guard size <= Self.maximumSize else {
            throw EvaluationError(path, "is \(size) bytes, too many for an evaluation's results; give another --output")
        }
        var data = Data(count: Int(size))
        var count = 0
        while count < data.count {
            let read = data.withUnsafeMutableBytes { bytes in
                pread(descriptor, bytes.baseAddress.map { $0 + count }, bytes.count - count, off_t(count))
            }
            guard read > 0 else { throw EvaluationError(path, "can't be read: \(String(cString: strerror(errno)))") }
            count += read
        }
        return data
    }

    /// Removes what follows the last line's end.
    func removeCutOffLine(_ contents: Data) throws {
        let end = contents.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        guard end < contents.count else { return }
        guard ftruncate(descriptor, off_t(end)) == 0, lseek(descriptor, 0, SEEK_END) == end else {
            throw EvaluationError(path, "can't be mended: \(String(cString: strerror(errno)))")
        }
    }

    /// - Throws: `EvaluationError`; `ResultLog.ReaderGone` for a pipe whose reader has gone.
    func write(_ data: Data) throws {
        var rest = data[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                if errno == EPIPE { throw ResultLog.ReaderGone() }
                throw EvaluationError(path, "can't be written: \(String(cString: strerror(errno)))")
            }
            rest = rest.dropFirst(written)
        }
    }
}
