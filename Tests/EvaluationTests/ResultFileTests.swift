import Evaluation
import Foundation
import Testing

/// What a results file does to the file that it is given.
@Suite struct ResultFileTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func result(_ id: String) -> EvaluationResult {
        EvaluationResult(
            id: id, mode: "c2c", subject: nil, question: "q", expected: "x", predicted: "x", correct: true, text: "x",
            tokens: 2, background_tokens: 0, sequential_steps: 3, ttft_s: 1, total_s: 1)
    }

    private func refusal(_ path: String, _ settings: [String: String] = ["method": "generate"]) -> String {
        do {
            _ = try ResultLog(path: path, settings: settings)
            Issue.record("\(path) was opened")
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test(
        "A foreign file keeps every byte",
        arguments: [
            "{\"important\":\"data of mine\"}", "{\"important\":\"data of mine\"}\n", "hello", "hello\nand more", "\n",
            "\n\n", "{\"evaluation\":{\"method\":\"generate\"}", "{}\n{}", "[1]\n", "\u{0}\u{0}\n",
            "question,answer\na,b",
        ])
    func foreign(text: String) throws {
        let file = folder.appending(path: "mine")
        try Data(text.utf8).write(to: file)
        let date = try FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate] as? Date
        #expect(refusal(file.path).contains("--output"))
        #expect(try Data(contentsOf: file) == Data(text.utf8))
        #expect(try FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate] as? Date == date)
    }

    @Test("An own file of other settings keeps every byte, its cut-off line too")
    func otherSettings() throws {
        let file = folder.appending(path: "own")
        var log: ResultLog? = try ResultLog(path: file.path, settings: ["method": "generate"])
        try log?.append(result("1"))
        log = nil
        var data = try Data(contentsOf: file)
        data.append(contentsOf: Array(#"{"id":"2","mo"#.utf8))
        try data.write(to: file)
        #expect(refusal(file.path, ["method": "logits"]).contains("method"))
        // What is missing now was a setting then, and the other way round.
        #expect(refusal(file.path, ["method": "generate", "shuffle": "1"]).contains("shuffle"))
        #expect(refusal(file.path, [:]).contains("method"))
        #expect(try Data(contentsOf: file) == data)
        _ = try ResultLog(path: file.path, settings: ["method": "generate"])
        #expect(try Data(contentsOf: file).count == data.count - 13)
    }

    @Test("Results of earlier versions, and damaged ones, are refused with advice and kept")
    func earlier() throws {
        let file = folder.appending(path: "old")
        let old = Data("{\"evaluation\":{\"method\":\"generate\"}}\n".utf8)
        try old.write(to: file)
        let reason = refusal(file.path)
        #expect(reason.contains("earlier version") && reason.contains("--output"), "\(reason)")
        #expect(try Data(contentsOf: file) == old)
        try FileManager.default.removeItem(at: file)
        _ = try ResultLog(path: file.path, settings: ["method": "generate"])
        var damaged = try Data(contentsOf: file)
        damaged.append(contentsOf: Array("{\"id\":7}\n{\"id\":\"cut".utf8))
        try damaged.write(to: file)
        #expect(refusal(file.path).contains("damaged"))
        #expect(try Data(contentsOf: file) == damaged)
    }

    @Test("Folders and block devices are refused; devices and pipes are written, not read")
    func devices() throws {
        #expect(refusal(folder.path).contains("folder"))
        #expect(refusal(folder.appending(path: "no/such").path).contains("folder"))
        let null = try ResultLog(path: "/dev/null", settings: ["method": "generate"])
        try null.append(result("1"))
        #expect(null.results.count == 1)
        #expect(throws: EvaluationError.self, "no space") {
            try ResultLog(path: "/dev/full", settings: ["method": "generate"]).append(result("1"))
        }
        // Never ends when read.
        _ = try ResultLog(path: "/dev/zero", settings: ["method": "generate"])

        let pipe = folder.appending(path: "pipe").path
        #expect(mkfifo(pipe, 0o600) == 0)
        let reader = Thread { _ = try? FileHandle(forReadingAtPath: pipe)?.readToEnd() }
        reader.start()
        let log = try ResultLog(path: pipe, settings: ["method": "generate"])
        try log.append(result("1"))
        #expect(log.contains(id: "1", mode: "c2c"))
    }

    @Test("A link to a results file is followed, an empty file is used")
    func links() throws {
        let (file, link) = (folder.appending(path: "file"), folder.appending(path: "link"))
        try Data().write(to: file)
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: file)
        var log: ResultLog? = try ResultLog(path: link.path, settings: ["method": "generate"])
        try log?.append(result("1"))
        log = nil
        #expect(try ResultLog(path: file.path, settings: ["method": "generate"]).results.count == 1)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path).hasSuffix("file"))
    }
}
