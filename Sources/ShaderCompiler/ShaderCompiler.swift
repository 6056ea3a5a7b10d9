import Foundation

/// Compiles every `.comp` file of a folder to SPIR-V and writes one Swift file that holds them all.
///
///     ShaderCompiler <folder of shaders> <Swift file to write>
///
/// A shader declares its variants in comments before its `#version` line, and nowhere else:
///
///     // variant TYPE: F32 F16 BF16
///     // variant TILE: 8x8 4x1
///
/// Each line is an axis; the shader is compiled once for every combination of values, with `TYPE_F16` and `TILE_8x8`
/// defined as 1, and also `TILE` itself where all of an axis' values are whole numbers. A module is called by its file and values:
/// `linear TYPE=F16 TILE=8x8`. `#include "file.glsl"` takes files of the same folder, each once.
///
/// Errors are printed as `Shaders/file.comp:line: error: text`, and nothing is written then.
@main
enum ShaderCompiler {
    static func main() {
        guard CommandLine.arguments.count == 3 else {
            fail(["usage: ShaderCompiler <folder of shaders> <Swift file to write>"])
        }
        do {
            let folder = URL(filePath: CommandLine.arguments[1])
            let modules = try compileAll(in: folder)
            try SwiftSource(modules: modules).text.write(
                to: URL(filePath: CommandLine.arguments[2]), atomically: true, encoding: .utf8)
        } catch let errors as ShaderErrors {
            fail(errors.lines)
        } catch {
            fail(["error: \(error)"])
        }
    }

    /// Every variant of every shader, in order of their names.
    private static func compileAll(in folder: URL) throws -> [ShaderModule] {
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "comp" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
        var modules: [ShaderModule] = []
        // All files are tried, so that one build shows every error; of one file's variants the first error is enough.
        var errors: [String] = []
        let compiler = SpirvCompiler()
        for file in files {
            do {
                let source = try ShaderSource(file: file, folder: folder)
                for variant in source.variants {
                    modules.append(
                        ShaderModule(
                            key: variant.key(for: source.name),
                            words: try compiler.compile(source, defines: variant.defines)))
                }
            } catch let error as ShaderErrors {
                errors += error.lines
            }
        }
        guard errors.isEmpty else { throw ShaderErrors(lines: errors) }
        return modules
    }

    private static func fail(_ lines: [String]) -> Never {
        FileHandle.standardError.write(Data((lines.joined(separator: "\n") + "\n").utf8))
        exit(1)
    }
}

/// A compiled variant of a shader.
struct ShaderModule {
    /// `linear TYPE=F16 TILE=8x8`.
    var key: String
    /// SPIR-V.
    var words: [UInt32]
}

/// What is wrong with shaders, a line each.
struct ShaderErrors: Error {
    var lines: [String]

    init(lines: [String]) {
        self.lines = lines
    }

    init(_ file: String, line: Int, _ text: String) {
        lines = ["\(file):\(line): error: \(text)"]
    }
}
