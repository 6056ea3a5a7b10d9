import Foundation

/// A file that is written front to back, and is there as a whole or not at all.
///
/// The bytes go to a temporary file beside the target, which takes the target's name in `finish()`. Until then, and where the disk
/// is full, what was there stays as it was; a file that is given up removes its temporary file. What is no file gets the bytes
/// as they come. Not thread-safe.
public final class OutputFile {
    private let place: OutputPlace
    private let descriptor: CInt
    /// The temporary file, and the name that it takes; nil where bytes go straight to their target.
    private var renaming: (temporary: String, target: String)?

    /// - Throws: `OutputFileError`.
    public init(_ place: OutputPlace) throws(OutputFileError) {
        self.place = place
        switch try place.target() {
        case .descriptor(let number):
            descriptor = fcntl(number, F_DUPFD_CLOEXEC, 3)
            guard descriptor >= 0 else { throw place.error(errno) }
        case .node(let path):
            descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
            guard descriptor >= 0 else { throw place.error(errno) }
        case .file(let path, let status):
            let folder = (path as NSString).deletingLastPathComponent
            let suffix = String(UInt64.random(in: 0...UInt64.max), radix: 36)
            let temporary = (folder.isEmpty ? "." : folder) + "/.c2c-vk-\(suffix)"
            // The contents of a file that others may not read are nobody's business in the meantime either.
            descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, status == nil ? 0o666 : 0o600)
            guard descriptor >= 0 else { throw place.error(errno) }
            renaming = (temporary, path)
            if let status {
                // An owner can't always be kept; its rights then go to the new one.
                if status.st_uid != geteuid() || status.st_gid != getegid() {
                    _ = fchown(descriptor, status.st_uid, status.st_gid)
                }
                _ = fchmod(descriptor, status.st_mode & 0o7777)
            }
        }
    }

    deinit {
        close(descriptor)
        if let renaming { unlink(renaming.temporary) }
    }

    /// - Throws: `OutputFileError`.
    public func append(_ bytes: UnsafeRawBufferPointer) throws(OutputFileError) {
        do {
            try Descriptor.write(bytes, to: descriptor)
        } catch {
            throw place.error(error.code)
        }
    }

    /// Gives the complete file its name.
    /// - Throws: `OutputFileError`.
    public func finish() throws(OutputFileError) {
        guard let renaming else { return }
        guard fsync(descriptor) == 0, rename(renaming.temporary, renaming.target) == 0 else { throw place.error(errno) }
        self.renaming = nil
    }

    /// Writes a file at once.
    /// - Throws: `OutputFileError`.
    public static func write(_ data: Data, to place: OutputPlace) throws(OutputFileError) {
        let file = try OutputFile(place)
        // Bytes of a typed error can't leave the closure of a generic function.
        let result = data.withUnsafeBytes { bytes in
            Result { () throws(OutputFileError) in try file.append(bytes) }
        }
        try result.get()
        try file.finish()
    }
}
