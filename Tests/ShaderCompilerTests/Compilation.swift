import Foundation

/// A temporary folder of shaders, and what the built ShaderCompiler makes of it.
final class Compilation {
    private let root: URL
    let shaders: URL

    /// - Parameter files: text by path inside the folder of shaders.
    init(_ files: [String: String]) throws {
        root = FileManager.default.temporaryDirectory.appending(path: "ShaderCompilerTests-\(UUID().uuidString)")
        shaders = root.appending(path: "Shaders")
        try FileManager.default.createDirectory(at: shaders, withIntermediateDirectories: true)
        for (path, text) in files { try write(text, to: path) }
    }

    deinit {
        try? FileManager.default.removeItem(at: root)
    }

    func write(_ text: String, to path: String) throws {
        let url = shaders.appending(path: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    struct Result {
        let status: Int32
        /// Standard error, line by line.
        let messages: [String]
        /// The generated Swift; nil when none was written.
        let swift: String?
        let modules: [Module]
    }

    /// A module as found in the generated Swift.
    struct Module {
        let key: String
        let words: [UInt32]
    }

    /// Runs the compiler into a file of this name.
    func run(output: String = "Out.swift", state: String? = nil) throws -> Result {
        let errors = root.appending(path: "stderr.txt")
        try Data().write(to: errors)
        let process = Process()
        process.executableURL = Self.compiler
        let destination = root.appending(path: output)
        process.arguments = [shaders.path, destination.path] + (state.map { [root.appending(path: $0).path] } ?? [])
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()

        let text = try String(contentsOf: errors, encoding: .utf8)
        let swift = try? String(contentsOf: destination, encoding: .utf8)
        return Result(
            status: process.terminationReason == .exit ? process.terminationStatus : -1,
            messages: text.split(separator: "\n").map(String.init), swift: swift,
            modules: swift.map(Self.modules) ?? [])
    }

    func modificationDate(of output: String) throws -> Date? {
        try FileManager.default.attributesOfItem(atPath: root.appending(path: output).path)[.modificationDate] as? Date
    }

    func remove(_ output: String) throws {
        try FileManager.default.removeItem(at: root.appending(path: output))
    }

    /// The build puts it beside the test bundle.
    private static var compiler: URL {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "ShaderCompiler")
    }

    private static func modules(in swift: String) -> [Module] {
        swift.matches(of: /key: "([^"]*)",[^\n]*\n\s*base64: "([^"]*)"/).map { match in
            let bytes = [UInt8](Data(base64Encoded: String(match.2)) ?? Data())
            let words = stride(from: 0, to: bytes.count - bytes.count % 4, by: 4).map { start in
                (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << (8 * $1) }
            }
            return Module(key: String(match.1), words: words)
        }
    }
}

extension Compilation.Module {
    /// The opcodes of all instructions, in order, after the header of five words.
    var opcodes: [UInt32] {
        var found: [UInt32] = []
        var position = 5
        while position < words.count {
            found.append(words[position] & 0xffff)
            position += max(1, Int(words[position] >> 16))
        }
        return found
    }

    /// The values of 32-bit constants. OpConstant: opcode 43, type, result, value.
    var constants: [UInt32] {
        var found: [UInt32] = []
        var position = 5
        while position < words.count {
            if words[position] == 4 << 16 | 43 { found.append(words[position + 3]) }
            position += max(1, Int(words[position] >> 16))
        }
        return found
    }
}

/// A complete shader with these lines before `#version`, before `main`, and in `main`.
func shader(header: String = "", declarations: String = "", body: String = "values[0] = 1.0;") -> String {
    """
    \(header)
    #version 460
    layout(local_size_x = 32) in;
    layout(set = 0, binding = 0) buffer Values { float values[]; };
    \(declarations)
    void main() {
        \(body)
    }

    """
}
