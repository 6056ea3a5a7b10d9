import Foundation
import Testing

@Suite
struct ShaderCompilerTests {
    private struct Outcome {
        var status: Int32
        var errors: String
        /// The generated file; nil where none was written.
        var source: String?

        var keys: [String] {
            (source ?? "").split(separator: "\n").compactMap { line in
                let parts = line.split(separator: "\"")
                return line.contains("EmbeddedShader(key:") ? String(parts[1]) : nil
            }
        }
    }

    /// Compiles a folder `Shaders` of these files.
    private func compile(_ files: [String: String]) throws -> Outcome {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        let shaders = folder.appending(path: "Shaders")
        try FileManager.default.createDirectory(at: shaders, withIntermediateDirectories: true)
        for (name, text) in files {
            try text.write(to: shaders.appending(path: name), atomically: true, encoding: .utf8)
        }
        let output = folder.appending(path: "Embedded.swift")
        let process = Process()
        process.executableURL = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "ShaderCompiler")
        process.arguments = [shaders.path, output.path]
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, errors: text, source: try? String(contentsOf: output, encoding: .utf8))
    }

    private static let good = """
        // variant TYPE: F32 F16
        // variant SIZE: 4 8
        #version 460
        #include "common.glsl"
        layout(local_size_x = SIZE) in;
        layout(set = 0, binding = 0) buffer Data { float values[]; };
        void main() {
        #ifdef TYPE_F16
            values[gl_LocalInvocationID.x] = twice(2.0);
        #else
            values[gl_LocalInvocationID.x] = twice(1.0);
        #endif
        }
        """
    private static let common = "float twice(float x) {\n    return 2.0 * x;\n}\n"

    @Test("every combination of a shader's axes becomes a module")
    func variants() throws {
        let outcome = try compile(["good.comp": Self.good, "common.glsl": Self.common])
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        #expect(
            outcome.keys == [
                "good TYPE=F32 SIZE=4", "good TYPE=F32 SIZE=8", "good TYPE=F16 SIZE=4", "good TYPE=F16 SIZE=8",
            ])
        let again = try compile(["good.comp": Self.good, "common.glsl": Self.common])
        #expect(again.source == outcome.source)
        let other = try compile(["good.comp": Self.good, "common.glsl": Self.common.replacing("2.0", with: "3.0")])
        #expect(other.source != outcome.source)
    }

    @Test("errors name file and line, in includes too, of all files")
    func errors() throws {
        let broken = Self.good.replacing("twice(1.0)", with: "thrice(1.0)")
        let outcome = try compile([
            "broken.comp": broken, "common.glsl": Self.common,
            "other.comp": "#version 460\nvoid main() { int x = y; }\n",
        ])
        #expect(outcome.status == 1 && outcome.source == nil)
        #expect(outcome.errors.contains("Shaders/broken.comp:11: error: 'thrice'"))
        #expect(outcome.errors.contains("Shaders/other.comp:2: error: 'y'"))
        let included = try compile([
            "good.comp": Self.good, "common.glsl": Self.common.replacing("2.0 * x", with: "2.0 * z"),
        ])
        #expect(included.errors.contains("Shaders/common.glsl:2: error: 'z'"))
    }

    @Test(
        "headers and includes that can't be followed",
        arguments: [
            ("// variant : A\n#version 460\nvoid main() {}", "one.comp:1: error: malformed variant"),
            ("// variant A:\n#version 460\nvoid main() {}", "one.comp:1: error: malformed variant"),
            ("// variant A: X X\n#version 460\nvoid main() {}", "one.comp:1: error: malformed variant"),
            ("#version 460\n#include \"../secret.glsl\"\nvoid main() {}", "one.comp:2: error: \"../secret.glsl\""),
            ("#version 460\n#include \"absent.glsl\"\nvoid main() {}", "one.comp:2: error: absent.glsl"),
            ("#version 460\n#include <absent.glsl>\nvoid main() {}", "one.comp:2: error: malformed include"),
            ("#version 460\n#include \"a.glsl\"\nvoid main() {}", "b.glsl:1: error: a.glsl includes itself"),
        ])
    func malformed(_ source: String, _ message: String) throws {
        let outcome = try compile([
            "one.comp": source, "a.glsl": "#include \"b.glsl\"\n", "b.glsl": "#include \"a.glsl\"\n",
        ])
        #expect(outcome.status == 1 && outcome.source == nil)
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
}
