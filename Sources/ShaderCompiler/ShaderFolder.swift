import Foundation

/// The folder of shaders, and the only place their text is read from.
struct ShaderFolder {
    /// Resolved, without symbolic links.
    private let root: URL
    /// What stands before a file's name in messages: the folder's own name, e.g. `Shaders`.
    let label: String

    init(path: String) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            throw ShaderErrors(file: path, line: nil, "is not a folder; give the folder that holds the .comp files")
        }
        let url = URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
        label = url.lastPathComponent
        root = url.resolvingSymlinksInPath()
    }

    /// The names of all `.comp` files, sorted. They lie directly in the folder, since a kernel is found by its name.
    func shaderFiles() throws -> [String] {
        let shaders = sourceNames.filter { $0.hasSuffix(".comp") }
        let errors = shaders.compactMap { file in
            Self.fault(inName: file).map { ShaderError(file: displayName(of: file), line: nil, message: $0) }
        }
        guard errors.isEmpty else { throw ShaderErrors(errors: errors) }
        return shaders
    }

    private static func fault(inName file: String) -> String? {
        if file.contains("/") { return "lies in a subfolder; move it up, beside the other shaders" }
        let name = file.dropLast(".comp".count)
        let isPlain = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
        return isPlain ? nil : "its name becomes a key; use letters, digits, `_` and `-` only"
    }

    /// All sources with their bytes, sorted by name. What cannot be read has none: compiling it will say so.
    func sources() -> [(name: String, content: Data)] {
        sourceNames.map { ($0, FileManager.default.contents(atPath: root.appendingPathComponent($0).path) ?? Data()) }
    }

    /// All `.comp` and `.glsl` files, sorted, but hidden ones (editors leave such).
    private var sourceNames: [String] {
        (FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? [])
            .filter { $0.hasSuffix(".comp") || $0.hasSuffix(".glsl") }
            .filter { path in !path.split(separator: "/").contains { $0.hasPrefix(".") } }
            .sorted()
    }

    /// What messages call a file of this folder.
    func displayName(of file: String) -> String { "\(label)/\(file)" }

    /// The lines of a file of this folder, without their ends.
    ///
    /// - Throws: a description without place when there is no such file, or when it lies outside the folder
    ///   (through `..`, an absolute path or a symbolic link).
    func lines(of file: String) throws(ReadError) -> [Substring] {
        let parts = file.split(separator: "/", omittingEmptySubsequences: false)
        guard !file.isEmpty, !parts.contains(where: { ["", ".", ".."].contains($0) }) else {
            throw ReadError(description: "\"\(file)\" leaves \(label)/; name a file by its path inside that folder")
        }
        let url = root.appendingPathComponent(file)
        guard url.resolvingSymlinksInPath().path.hasPrefix(root.path + "/") else {
            throw ReadError(description: "\"\(file)\" is a link out of \(label)/; copy the file there instead")
        }
        guard let data = FileManager.default.contents(atPath: url.path) else {
            throw ReadError(description: "\"\(file)\" is not in \(label)/, or cannot be read")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw ReadError(description: "\"\(file)\" is not UTF-8 text")
        }
        return text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    }

    struct ReadError: Error, CustomStringConvertible {
        let description: String
    }
}
