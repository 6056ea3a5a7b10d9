import Foundation

/// What the output was last made from, kept in a file between builds.
struct BuildState {
    private let path: String
    private let fingerprint: String

    /// - Parameter path: the file, which need not exist.
    init(path: String, folder: ShaderFolder) throws {
        self.path = path
        var hash = FNV1a()
        // The compiler itself, whose rules and libraries may have changed: its file's size and time stand for it.
        let tool = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        let attributes = try FileManager.default.attributesOfItem(atPath: tool)
        hash.combine("\(attributes[.size] ?? "") \(attributes[.modificationDate] ?? "")".utf8)
        for (name, content) in folder.sources() {
            hash.combine("\(name)\n\(content.count)\n".utf8)
            hash.combine(content)
        }
        fingerprint = String(hash.value, radix: 16)
    }

    /// Whether the sources and the compiler are those of the last success.
    var isCurrent: Bool {
        guard let data = FileManager.default.contents(atPath: path) else { return false }
        return String(decoding: data, as: UTF8.self).split(separator: " ").first == Substring(fingerprint)
    }

    /// Makes the file differ from what it was, which has the build run the compiler again next time.
    ///
    /// - Parameter succeeded: whether the output now is that of the sources.
    func record(succeeded: Bool) throws {
        let text = "\(succeeded ? fingerprint : "failed") \(UUID().uuidString)\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
}
