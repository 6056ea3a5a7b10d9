import Foundation

/// A regular file mapped read-only into memory; unmapped when the last reference goes.
///
/// The file must not shrink while it is mapped: the operating system raises a signal on such reads, which nothing
/// here can catch.
public final class MappedFile: @unchecked Sendable {
    // Unchecked because of the raw pointer alone: it and the pages behind it never change before deinit.

    /// How the pages of a range will be used next.
    public enum Advice: Sendable {
        /// Will be read once, front to back: read ahead.
        case sequential
        /// Not needed any more: the pages may leave memory, and are read from disk again if touched.
        case dontNeed
    }

    public let path: String
    /// Size in bytes; at least 1.
    public let size: Int
    private let base: UnsafeRawPointer

    /// Maps the whole file.
    /// - Throws: `CheckpointError` if the file is missing, empty, or not a readable regular file.
    public init(_ path: String) throws {
        // Non-blocking, so that a named pipe is refused below instead of waiting for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            if code == ENOENT || code == ENOTDIR {
                throw CheckpointError(.missing, path, "no such file")
            }
            throw CheckpointError(.inaccessible, path, "cannot be opened: \(String(cString: strerror(code)))")
        }
        defer { close(descriptor) }

        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw CheckpointError(.inaccessible, path, "cannot be examined: \(String(cString: strerror(errno)))")
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw CheckpointError(.inaccessible, path, "is a directory, not a file")
        default: throw CheckpointError(.inaccessible, path, "is not a regular file")
        }
        guard let size = Int(exactly: status.st_size), size > 0 else {
            throw CheckpointError(.malformed, path, "is empty; was its download interrupted?")
        }
        guard let mapping = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), mapping != MAP_FAILED else {
            throw CheckpointError(.inaccessible, path, "cannot be mapped: \(String(cString: strerror(errno)))")
        }
        self.path = path
        self.size = size
        base = UnsafeRawPointer(mapping)
        guard !isPointer else {
            throw CheckpointError(
                .malformed, path,
                "is a Git LFS pointer, not the file; get the file with `git lfs pull` in its folder, or `hf download`")
        }
    }

    /// What Git leaves in the place of a large file that wasn't fetched (<https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>).
    private var isPointer: Bool {
        let beginning = "version https://git-lfs.github.com/"
        return withBytes(offset: 0, count: size) { $0.starts(with: beginning.utf8) }
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: base), size)
    }

    /// The whole file.
    public var contents: MappedRegion { MappedRegion(file: self, offset: 0, count: size) }

    /// `count` bytes from `offset` on.
    /// - Throws: `CheckpointError` if any of them lies outside the file.
    public func region(offset: Int, count: Int) throws -> MappedRegion {
        guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
            throw CheckpointError(
                .malformed, path,
                "\(count) bytes at offset \(offset) are beyond its \(size) bytes; is it truncated?")
        }
        return MappedRegion(file: self, offset: offset, count: count)
    }

    /// Only `MappedRegion` calls this, with a range that was checked when the region was made.
    fileprivate func withBytes<Result>(
        offset: Int, count: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(self) {
            try body(UnsafeRawBufferPointer(start: base + offset, count: count))
        }
    }

    fileprivate func advise(_ advice: Advice, offset: Int, count: Int) {
        let page = Int(getpagesize())
        var start = offset
        var end = offset + count
        let flag: CInt
        switch advice {
        case .sequential:
            flag = CInt(MADV_SEQUENTIAL)
            start -= start % page
        case .dontNeed:
            // Pages shared with a neighbour stay: the neighbour may still be in use.
            flag = CInt(MADV_DONTNEED)
            let misaligned = start % page
            start += misaligned == 0 ? 0 : page - misaligned
            end -= end == size ? 0 : end % page
        }
        guard end > start else { return }
        // Advice is a hint: where the system refuses it, reading works all the same.
        _ = madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, flag)
    }
}

/// A range of a mapped file that is known to lie inside it; keeps the mapping alive.
public struct MappedRegion: Sendable {
    public let file: MappedFile
    /// Offset of the first byte in the file.
    public let offset: Int
    /// Length in bytes.
    public let count: Int

    fileprivate init(file: MappedFile, offset: Int, count: Int) {
        self.file = file
        self.offset = offset
        self.count = count
    }

    /// Lends the bytes; the pointer is valid only during `body`, and may be unaligned.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try file.withBytes(offset: offset, count: count, body)
    }

    /// `count` bytes from `offset` (counted from the region's start) on.
    /// - Throws: `CheckpointError` if any of them lies outside the region.
    public func region(offset: Int, count: Int) throws -> MappedRegion {
        guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else {
            throw CheckpointError(
                .malformed, file.path, "\(count) bytes at offset \(offset) are beyond a part of \(self.count) bytes")
        }
        return MappedRegion(file: file, offset: self.offset + offset, count: count)
    }

    /// Tells the operating system how the region will be used.
    public func advise(_ advice: MappedFile.Advice) {
        file.advise(advice, offset: offset, count: count)
    }
}
