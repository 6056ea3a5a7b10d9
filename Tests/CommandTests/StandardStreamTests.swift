import Foundation
import Testing

/// Standard output and standard error that are full, closed, or read by nobody.
@Suite(.serialized)
struct StandardStreamTests {
    private static let answer = "generate --mode receiver --prompt-ids '1 2' --max-new-tokens 1"
    private static let tokenizer = Program.embedded("receiver")

    /// Runs a line of bash, in which `$BIN` is the program.
    private func shell(_ line: String, input: String? = nil) throws -> Program.Outcome {
        try Program.run(
            ["-c", line], input: input, environment: ["BIN": Program.executable.path],
            executable: URL(filePath: "/bin/bash"))
    }

    private static let full = ">/dev/full"
    private static let closed = ">&-"
    /// Read by nobody, and from a parent that wants an error for that.
    private static let broken = "| (exec <&-; sleep 0.2); exit ${PIPESTATUS[0]}"

    @Test(
        "Standard output that takes nothing is an error of one line",
        arguments: [
            ("devices", [full, closed, broken]), ("devices --json", [full]), (answer, [full, closed, broken]),
            ("\(answer) --json", [full]), ("inspect \(tokenizer)", [full]), ("tokenize \(tokenizer) Hi", [full]),
            ("--help", [full, closed, broken]), ("generate --help", [full]), ("help eval", [full]),
            ("--generate-completion-script bash", [full, broken]), ("eval --limit 1 --modes receiver", [full]),
            ("eval --limit 1 --modes receiver --json", [full]), ("verify --prompt-ids '1 2'", [full]),
            ("bench --device cpu -p 2 -n 1 -r 1", [full]),
        ])
    func fullOutput(_ command: String, targets: [String]) throws {
        for target in targets {
            let outcome = try shell("trap '' PIPE; $BIN \(command) \(target)")
            #expect(outcome.status == 2, "\(command) \(target): \(outcome.errors)")
            let lines = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }
            #expect(lines.count == 1, "\(outcome.errors)")
            #expect(lines.first?.contains("standard output can't be written") == true, "\(outcome.errors)")
            #expect(!outcome.errors.contains("Fatal"), "\(outcome.errors)")
        }
    }

    @Test("Line by line as well")
    func fullLines() throws {
        let input = #"{"text":"Hi"}"# + "\n"
        for target in [">/dev/full", ">&-"] {
            let outcome = try shell("$BIN tokenize \(Self.tokenizer) --json-lines \(target)", input: input)
            #expect(outcome.status == 2 && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
            let talk = try shell("$BIN chat --mode receiver --max-new-tokens 2 \(target)", input: "Hello\n/stats\n")
            #expect(talk.status == 2 && talk.errors.split(separator: "\n").count == 1, "\(talk.errors)")
        }
    }

    @Test("Where nobody reads standard error, the answer and the exit code are as ever")
    func fullErrors() throws {
        let usual = try shell("$BIN \(Self.answer)")
        #expect(usual.status == 0 && !usual.output.isEmpty)
        for target in ["2>/dev/full", "2>&-", "2> >(exec <&-)", "<&- 2>&-"] {
            let outcome = try shell("$BIN \(Self.answer) \(target)")
            #expect(outcome.status == 0 && outcome.output == usual.output && outcome.errors.isEmpty, "\(target)")
            let wrong = try shell("$BIN generate --nonsense \(target)")
            #expect(wrong.status == 2 && wrong.output.isEmpty, "\(target)")
        }
        #expect(try shell("$BIN devices >&- 2>&-").status == 2)
    }

    @Test("Into head, the program ends without a word, as programs do")
    func head() throws {
        let outcome = try shell("$BIN \(Self.answer) | true; echo ${PIPESTATUS[0]}")
        #expect(outcome.output == "141\n" && !outcome.errors.contains("error"), "\(outcome.errors)")
        let help = try shell("$BIN eval --help | (exec <&-; sleep 0.2); echo ${PIPESTATUS[0]}")
        #expect(help.output == "141\n" && help.errors.isEmpty, "\(help.errors)")
    }

    @Test("With a stream closed, no file takes its place")
    func closedStreams() throws {
        let folder = try TemporaryFolder()
        let dump = folder.path("dump.safetensors")
        let usual = try shell("$BIN \(Self.answer) --dump \(dump) >/dev/null && cat \(dump)")
        #expect(usual.status == 0)
        let closed = try shell("rm \(dump); $BIN \(Self.answer) --dump \(dump) >&- 2>&-; echo $?; cmp - \(dump)")
        #expect(closed.output.hasPrefix("2\n"))
        // The file holds tensors, and neither the answer nor the timings.
        let bytes = try Data(contentsOf: URL(filePath: dump))
        #expect(bytes.count > 8 && bytes.dropFirst(8).first == UInt8(ascii: "{"))
        #expect(bytes.range(of: Data("tokens/s".utf8)) == nil)
    }

    @Test("A stream that another program has made non-blocking is waited for")
    func nonBlocking() throws {
        // More than fits into a pipe.
        let outcome = try Program.run(
            ["tokenize", Self.tokenizer], input: String(repeating: "zx ", count: 20_000), outputIsNonBlocking: true)
        #expect(outcome.status == 0 && outcome.output.utf8.count > 1 << 16, "\(outcome.errors)")
        #expect(outcome.output.hasSuffix("\n"))
    }
}
