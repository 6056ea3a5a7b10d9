import Foundation
import Testing

/// What `--dump`, `--report` and `/save` do to what is there already.
@Suite(.serialized)
struct OutputFileCommandTests {
    /// Each way to write a file, as a call that takes its name, and a file that it may replace.
    private enum Writer: String, CaseIterable {
        case dump, report, save

        func run(_ path: String, isForced: Bool = false) throws -> Program.Outcome {
            let force = isForced ? ["--force"] : []
            return switch self {
            case .dump:
                try Program.run(
                    ["generate", "--mode", "receiver", "--prompt-ids", "1 2", "--max-new-tokens", "1", "--dump", path]
                        + force)
            case .report:
                try Program.run(["eval", "--limit", "1", "--modes", "receiver", "--report", path] + force)
            case .save:
                try Program.run(
                    ["chat", "--mode", "receiver", "--max-new-tokens", "1"],
                    input: "Hi\n/save \((force + [path]).joined(separator: " "))\n")
            }
        }

        /// What the file begins with.
        var beginning: String {
            switch self {
            case .dump: #"{"__metadata__":{"generator":"c2c-vk"}"#
            case .report: "<!doctype html>"
            case .save: "{\n  \"generator\" : \"c2c-vk\""
            }
        }
    }

    @Test("A file that is no earlier output is refused without --force", arguments: Writer.allCases)
    private func foreign(_ writer: Writer) throws {
        let folder = try TemporaryFolder()
        let model = try folder.copy("golden/qwen3_from_qwen2/receiver") + "/model.safetensors"
        let weights = try Data(contentsOf: URL(filePath: model))
        let questions = folder.path("questions.jsonl")
        let conversation = folder.path("conversation.json")
        try Data(#"{"question": "?", "answer": "!"}"#.utf8).write(to: URL(filePath: questions))
        try Data(#"{"messages": [{"role": "user", "content": "mine"}]}"#.utf8).write(to: URL(filePath: conversation))
        for path in [model, questions, conversation] {
            let before = try Data(contentsOf: URL(filePath: path))
            let outcome = try writer.run(path)
            #expect(outcome.status == 2 && outcome.errors.contains("add --force"), "\(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
            #expect(try Data(contentsOf: URL(filePath: path)) == before)
        }
        #expect(try writer.run(model, isForced: true).status == 0)
        #expect(try Data(contentsOf: URL(filePath: model)) != weights)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == [
                "conversation.json", "questions.jsonl", "receiver",
            ])
    }

    @Test("An earlier output is replaced; what a link leads to as well", arguments: Writer.allCases)
    private func earlier(_ writer: Writer) throws {
        let folder = try TemporaryFolder()
        let (path, link) = (folder.path("out"), folder.path("link"))
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "out")
        for name in [link, path, link] {
            let outcome = try writer.run(name)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
            #expect(text.contains(writer.beginning))
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "out")
        }
    }

    @Test("Pipes get the bytes, and stay", arguments: Writer.allCases)
    private func pipes(_ writer: Writer) throws {
        let folder = try TemporaryFolder()
        let path = folder.path("pipe")
        #expect(mkfifo(path, 0o600) == 0)
        let reader = Process()
        let output = Pipe()
        reader.executableURL = URL(filePath: "/bin/cat")
        reader.arguments = [path]
        reader.standardOutput = output
        try reader.run()
        #expect(try writer.run(path).status == 0)
        let read = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        reader.waitUntilExit()
        #expect(read.contains(writer.beginning))
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
        #expect(try writer.run("/dev/full").status == 2)
    }

    @Test("Where the disk is full, what was there stays", arguments: Writer.allCases)
    private func full(_ writer: Writer) throws {
        let folder = try TemporaryFolder()
        let path = folder.path("out")
        #expect(try writer.run(path).status == 0)
        let before = try Data(contentsOf: URL(filePath: path))
        // No file may grow beyond nothing.
        let line =
            switch writer {
            case .dump: "$BIN generate --mode receiver --prompt-ids '1 2' --max-new-tokens 1 --dump \(path)"
            case .report: "$BIN eval --limit 1 --modes receiver --report \(path)"
            case .save: "echo /save \(path) | $BIN chat --mode receiver"
            }
        let outcome = try Program.run(
            ["-c", "ulimit -f 0; \(line) 2>&1 | cat; exit ${PIPESTATUS[-2]}"],
            environment: ["BIN": Program.executable.path],
            executable: URL(filePath: "/bin/bash"))
        #expect(outcome.status == 2 && outcome.output.contains("can't be written: File too large"), "\(outcome)")
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).allSatisfy { !$0.hasPrefix(".") })
    }

    @Test("--report can't be the file of results")
    func sameFile() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("both")
        let outcome = try Program.run(
            ["eval", "--limit", "1", "--modes", "receiver", "--report", path, "--output", path])
        #expect(outcome.status == 2 && outcome.errors.contains("is not a report"), "\(outcome.errors)")
        #expect(outcome.output.isEmpty)
    }
}
