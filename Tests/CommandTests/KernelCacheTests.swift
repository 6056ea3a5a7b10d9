import Foundation
import Testing

/// What drivers keep of compiled kernels, from one run of the program to the next.
@Suite(.serialized)
struct KernelCacheTests {
    @Test(
        "A terminal is told how many kernels are compiled while a cold cache makes the answer wait",
        .enabled(if: PseudoTerminal.isAvailable, "needs pseudo-terminals and setsid"), arguments: [80, 20])
    func line(columns: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kernels-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let arguments = ["generate", "--json", "--max-new-tokens", "4", "Tell me where Dario Jarvik lives."]
        let environment = ["MESA_SHADER_CACHE_DIR": folder.path, "NO_COLOR": "1"]
        let terminal = try PseudoTerminal(arguments, columns: columns, environment: environment)
        #expect(terminal.exitCode() == 0)
        let lines = terminal.transcript.split { $0 == "\r" || $0 == "\n" || $0 == "\r\n" }
        let shown = lines.filter { $0.hasPrefix("compiling ker") }
        // A driver that compiles all this at once leaves nothing to show.
        if FileManager.default.enumerator(atPath: folder.path)?.nextObject() != nil { #expect(!shown.isEmpty) }
        #expect(shown.allSatisfy { $0.count < columns }, "\(shown)")
        #expect(columns < 40 || shown.allSatisfy { $0.contains(" of ") })
        #expect(!terminal.transcript.contains("\u{1B}"))
        // What was shown is written over before the answer.
        let answer = try #require(lines.last { $0.contains("\"tokens\"") })
        #expect(answer.hasPrefix("{"))
    }

    /// Mesa's CPU driver keeps a file for each kernel that it compiled.
    @Test("The second process compiles nothing again")
    func secondProcess() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kernels-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func keptKernels() throws -> Set<String> {
            let outcome = try Program.run(
                ["generate", "--max-new-tokens", "4", "Tell me where Dario Jarvik lives."],
                environment: ["MESA_SHADER_CACHE_DIR": folder.path])
            #expect(outcome.status == 0, "\(outcome.errors)")
            let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
            return Set(files.filter { $0.contains("/") })
        }
        let first = try keptKernels()
        #expect(try keptKernels() == first)
    }
}
