import Foundation

/// Why a file can't be written, in one line.
public struct OutputFileError: Error, CustomStringConvertible {
    /// As it was given.
    public var path: String
    public var reason: String

    public var description: String { "\(path) can't be written: \(reason)" }
}

/// What a file that this program wrote begins with, by which it may be written anew.
public struct OutputMark: Sendable {
    /// What such a file is called, with its article.
    public var name: String
    /// Where in the file the mark stands, in bytes.
    public var offset: Int
    public var text: String

    public init(_ name: String, offset: Int = 0, _ text: String) {
        self.name = name
        self.offset = offset
        self.text = text
    }
}

/// Where a file is to be written, without harm to what is there.
///
/// A file that holds anything but an earlier output of the same kind is left alone. What is no file, such as a device, a pipe, or
/// one of this program's own descriptors, gets the bytes; a link stays one, and its target gets them.
public struct OutputPlace: Sendable {
    public let path: String
    private let mark: OutputMark?
    private let isForced: Bool

    /// What a path leads to.
    enum Target {
        /// One of this program's descriptors, as /dev/stdout is.
        case descriptor(CInt)
        /// A device or a pipe.
        case node(String)
        /// A file, or the name of one to be; what links lead to.
        case file(String, status: stat?)
    }

    /// Looks whether the place can be written, so that it is said before the work and not after it.
    ///
    /// - Parameters:
    ///   - mark: of earlier outputs that may be replaced; nil where any file may be.
    ///   - isForced: any file may be replaced because the user says so.
    /// - Throws: `OutputFileError`.
    public init(_ path: String, replacing mark: OutputMark?, isForced: Bool = false) throws(OutputFileError) {
        self.path = path
        self.mark = mark
        self.isForced = isForced
        try check()
    }

    /// Looks again.
    /// - Throws: `OutputFileError`.
    public func check() throws(OutputFileError) {
        _ = try target()
    }

    /// Follows the path, and looks again at what is there now.
    func target() throws(OutputFileError) -> Target {
        guard !path.isEmpty else { throw error("it has no name") }
        var place = path
        // As many links as Linux follows.
        for _ in 0..<40 {
            if let descriptor = Self.descriptor(place) { return .descriptor(descriptor) }
            var status = stat()
            guard lstat(place, &status) == 0 else {
                guard errno == ENOENT else { throw error(errno) }
                return .file(try checkedFolder(of: place), status: nil)
            }
            switch status.st_mode & S_IFMT {
            case S_IFLNK:
                guard let link = try? FileManager.default.destinationOfSymbolicLink(atPath: place) else {
                    throw error("it is a link that can't be followed")
                }
                place = link.hasPrefix("/") ? link : folder(of: place) + "/" + link
            case S_IFDIR: throw error("it is a folder")
            case S_IFREG: return .file(try checked(place, status), status: status)
            case S_IFBLK where !isForced:
                throw error("it is a disk, whose contents would be lost; add --force if that is meant")
            default:
                guard access(place, W_OK) == 0 else { throw error(errno) }
                return .node(place)
            }
        }
        throw error(ELOOP)
    }

    /// The descriptor that a name stands for: another opening of the same file would begin at its start again.
    private static func descriptor(_ place: String) -> CInt? {
        for folder in ["/dev/fd/", "/proc/self/fd/"] where place.hasPrefix(folder) {
            return CInt(place.dropFirst(folder.count))
        }
        return nil
    }

    private func checked(_ place: String, _ status: stat) throws(OutputFileError) -> String {
        guard access(place, W_OK) == 0 else { throw error(errno) }
        _ = try checkedFolder(of: place)
        // Nothing is lost with an empty file.
        guard !isForced, status.st_size > 0, let mark else { return place }
        let descriptor = open(place, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw error(errno) }
        defer { close(descriptor) }
        var found = [UInt8](repeating: 0, count: mark.text.utf8.count)
        let count = pread(descriptor, &found, found.count, off_t(mark.offset))
        guard count == found.count, found.elementsEqual(mark.text.utf8) else {
            throw error("it is there and is not \(mark.name); give another name, or add --force to replace it")
        }
        return place
    }

    /// - Returns: the place itself, whose folder takes new files.
    private func checkedFolder(of place: String) throws(OutputFileError) -> String {
        let folder = folder(of: place)
        var status = stat()
        guard !place.hasSuffix("/"), stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw error("its folder \(folder) isn't there")
        }
        guard access(folder, W_OK | X_OK) == 0 else { throw error("its folder \(folder) isn't yours to write") }
        return place
    }

    private func folder(of place: String) -> String {
        let folder = (place as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }

    func error(_ code: CInt) -> OutputFileError { error(SystemError(code).description) }

    func error(_ reason: String) -> OutputFileError { OutputFileError(path: path, reason: reason) }
}
