import Foundation

/// A folder of this process for readers that open files by their path.
struct Workplace {
    let url: URL

    var path: String { url.path }

    private static let root = FileManager.default.temporaryDirectory
        .appending(path: "fuzz-\(ProcessInfo.processInfo.processIdentifier)")

    /// The folder of that name with those files in it.
    init(_ name: String, _ files: [String: String] = [:]) throws {
        url = Self.root.appending(path: name)
        for (name, text) in files { try write(name, text.utf8) }
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    /// Replaces a file; returns its path.
    @discardableResult
    func write(_ name: String, _ contents: some Sequence<UInt8>) throws -> String {
        let file = url.appending(path: name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(contents).write(to: file)
        return file.path
    }
}
