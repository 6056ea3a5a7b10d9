import Foundation
import OutputFiles

/// What was typed in earlier chats, in a file that only its owner can read: a JSON text to a line.
struct ChatHistory {
    /// The last one last.
    private(set) var entries: [String] = []
    /// Nil where nothing is kept.
    private let path: String?

    private static let mostEntries = 1000
    /// Of the file, which is cut when it holds more, and of one entry, which isn't kept if it is longer.
    private static let mostBytes = (file: 1 << 20, entry: 1 << 16)

    /// - Parameter isKept: whether there is a file at all; `C2C_VK_HISTORY=off` says no for every chat.
    init(isKept: Bool) {
        let environment = ProcessInfo.processInfo.environment
        path = isKept && environment["C2C_VK_HISTORY"] != "off" ? Self.place(environment) : nil
        guard let path else { return }
        entries = Self.read(path) ?? []
        if entries.count > Self.mostEntries { entries.removeFirst(entries.count - Self.mostEntries) }
        var status = stat()
        guard stat(path, &status) == 0, status.st_size > Self.mostBytes.file || entries.count == Self.mostEntries
        else { return }
        // Half of what there may be, so that this isn't done at every start.
        entries = entries.suffix(Self.mostEntries / 2)
        while entries.reduce(0, { $0 + $1.utf8.count }) > Self.mostBytes.file / 2 { entries.removeFirst() }
        let text = Data(entries.compactMap(Self.line).joined())
        // Nothing but convenience is lost where this fails.
        if let place = try? OutputPlace(path, replacing: nil) { try? OutputFile.write(text, to: place) }
    }

    /// Keeps what was typed, unless it is what was typed last.
    mutating func add(_ text: String) {
        guard text != entries.last, !text.allSatisfy(\.isWhitespace) else { return }
        entries.append(text)
        guard let path, text.utf8.count <= Self.mostBytes.entry, let line = Self.line(text) else { return }
        guard let descriptor = Self.open(path, O_WRONLY | O_APPEND | O_CREAT) else { return }
        defer { close(descriptor) }
        line.withUnsafeBytes { bytes in try? Descriptor.write(bytes, to: descriptor) }
    }

    /// As the XDG base directory specification says of what a program remembers; nil where there is no such place.
    private static func place(_ environment: [String: String]) -> String? {
        func absolute(_ name: String) -> String? { environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil } }
        guard let base = absolute("XDG_STATE_HOME") ?? absolute("HOME").map({ $0 + "/.local/state" }) else {
            return nil
        }
        let folder = base + "/c2c-vk"
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return folder + "/chat-history"
    }

    private static func read(_ path: String) -> [String]? {
        guard let descriptor = open(path, O_RDONLY) else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        // A file that grew beyond all bounds isn't read to its end.
        while bytes.count <= 4 * mostBytes.file, let part = try? Descriptor.read(descriptor), !part.isEmpty {
            bytes += part
        }
        // What isn't a text, such as a line that was cut off, is left out.
        return bytes.split(separator: 0x0A).compactMap { line in
            try? JSONDecoder().decode(String.self, from: Data(line))
        }
    }

    /// The file, made private; nil where it is none, or somebody else's.
    private static func open(_ path: String, _ flags: CInt) -> CInt? {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid() else {
            close(descriptor)
            return nil
        }
        if status.st_mode & 0o077 != 0 { _ = fchmod(descriptor, 0o600) }
        return descriptor
    }

    private static func line(_ text: String) -> Data? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(text)).map { $0 + [0x0A] }
    }
}
