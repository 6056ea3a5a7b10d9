import Foundation

/// `ShaderCompiler SHADERS OUTPUT [STATE]`: compiles every `SHADERS/*.comp` in all its variants to SPIR-V and writes one
/// Swift file that holds them. With STATE, a file to keep between builds, it does nothing when nothing changed.
///
/// Exit status: 0 well, 1 a shader is wrong (each error on its own line, `Shaders/attention.comp:41: error: ...`),
/// 2 wrong use.
@main
struct ShaderCompiler {
    static func main() async {
        let arguments = CommandLine.arguments
        guard (3...4).contains(arguments.count) else {
            report("usage: ShaderCompiler SHADERS OUTPUT [STATE] (a folder of .comp files, the Swift file to write)")
            exit(2)
        }
        do {
            let folder = try ShaderFolder(path: arguments[1])
            if arguments.count == 4 {
                let state = try BuildState(path: arguments[3], folder: folder)
                try await build(folder, to: arguments[2], unlessCurrent: state)
            } else {
                try await build(folder, to: arguments[2])
            }
        } catch let failure as ShaderErrors {
            failure.errors.forEach { report($0.description) }
            exit(1)
        } catch {
            report("error: \(error)")
            exit(1)
        }
    }

    private static func build(_ folder: ShaderFolder, to output: String, unlessCurrent state: BuildState) async throws {
        do {
            if !state.isCurrent || !FileManager.default.fileExists(atPath: output) {
                try await build(folder, to: output)
            }
        } catch {
            try state.record(succeeded: false)
            throw error
        }
        try state.record(succeeded: true)
    }

    private static func build(_ folder: ShaderFolder, to output: String) async throws {
        try write(embeddedSwift(try await compileAll(in: folder)), to: output)
    }

    /// Every module of every shader, in order of file name and then of variant.
    private static func compileAll(in folder: ShaderFolder) async throws -> [CompiledModule] {
        var errors: [ShaderError] = []
        var modules: [ShaderModule] = []
        for file in try folder.shaderFiles() {
            do {
                modules += try ShaderModule.modules(of: file, in: folder)
            } catch let failure as ShaderErrors {
                errors += failure.errors
            }
        }

        var compiled: [CompiledModule] = []
        var findings: [Finding] = []
        for (module, outcome) in zip(modules, try await SPIRVCompiler().compile(modules)) {
            if let result = outcome.module { compiled.append(result) }
            findings += outcome.messages.map { Finding(message: $0, module: module) }
        }
        for message in merged(findings, of: modules) {
            if message.severity == .error { errors.append(message) } else { report(message.description) }
        }
        guard errors.isEmpty else { throw ShaderErrors(errors: errors) }
        return compiled
    }

    private struct Finding {
        let message: ShaderError
        let module: ShaderModule
    }

    /// Variants share their source, so most mistakes are found in each of them; those are said once. The others name
    /// the first variant that has them. A note names its modules by itself.
    private static func merged(_ findings: [Finding], of modules: [ShaderModule]) -> [ShaderError] {
        var order: [ShaderError] = []
        var finders: [ShaderError: [ShaderModule]] = [:]
        for finding in findings {
            if finders[finding.message] == nil { order.append(finding.message) }
            finders[finding.message, default: []].append(finding.module)
        }
        return order.map { message in
            guard message.severity != .note, let found = finders[message], let first = found.first else {
                return message
            }
            let keys = Set(found.map(\.key))
            if modules.allSatisfy({ $0.name != first.name || keys.contains($0.key) }) { return message }
            return message.with(suffix: " [\(first.key)]")
        }
    }

    /// Leaves an unchanged file alone, so that editing a comment in a shader does not rebuild what imports it.
    private static func write(_ text: String, to path: String) throws {
        let data = Data(text.utf8)
        if FileManager.default.contents(atPath: path) == data { return }
        do {
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw ShaderErrors(file: path, line: nil, "cannot be written: \(error.localizedDescription)")
        }
    }

    private static func report(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}
