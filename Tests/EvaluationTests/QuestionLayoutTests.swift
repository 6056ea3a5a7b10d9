import Evaluation
import Foundation
import Testing

/// Question files as people's tools write them.
@Suite struct QuestionLayoutTests {
    private static let first = #"{"question":"What is it?","answer":"yes"}"#
    private static let second = #"{"question":"And “now”?","answer":"no"}"#

    private func read(_ bytes: [UInt8], as name: String = "q.jsonl", format: QuestionFormat? = nil) throws
        -> [EvaluationQuestion]
    {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString + "-" + name)
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(bytes).write(to: file)
        return try QuestionFile.read(file.path, format: format)
    }

    private func refusal(_ bytes: [UInt8], as name: String = "q.jsonl") throws -> String {
        do {
            _ = try read(bytes, as: name)
            Issue.record("\(name) was read")
            return ""
        } catch let error as EvaluationError {
            return error.reason
        }
    }

    @Test(
        "Lines may end as on Unix, Windows or old Macs, with a byte-order mark before them",
        arguments: ["\n", "\r\n", "\r", "\n\r\n"], ["", "\u{FEFF}"])
    func lineEnds(end: String, mark: String) throws {
        let lines = try read(Array("\(mark)\(Self.first)\(end)\(Self.second)\(end)".utf8))
        #expect(lines.map(\.question) == ["What is it?", "And “now”?"])
        let table = "\(mark)question,answer\(end)What?,yes\(end)\"a\(end)b\",no\(end)"
        let rows = try read(Array(table.utf8), as: "q.csv")
        #expect(rows.map(\.question) == ["What?", "a\(end)b"] && rows.map(\.expected) == [.text("yes"), .text("no")])
    }

    @Test("A record may hold the line separators that only Unicode knows")
    func unicodeSeparators() throws {
        let line = "{\"question\":\"a\u{2028}b\u{85}c\",\"answer\":\"x\"}"
        #expect(try read(Array(line.utf8)).map(\.question) == ["a\u{2028}b\u{85}c"])
    }

    @Test("Questions may be an array, or the only array within an object")
    func arrays() throws {
        for text in [
            "[\(Self.first),\n \(Self.second)]", "{\"version\": 1, \"data\": [\(Self.first), \(Self.second)]}",
            "{\n  \"questions\": [\n\(Self.first),\n\(Self.second)]\n}\n",
            #"{"features":[],"rows":[{"row_idx":0,"row":\#(Self.first)},{"row_idx":1,"row":\#(Self.second)}]}"#,
        ] {
            let questions = try read(Array(text.utf8), as: "q.json")
            #expect(questions.map(\.expected) == [.text("yes"), .text("no")], "\(text)")
        }
        // One question that is written over several lines.
        let pretty =
            "{\n  \"question\": \"What is it?\",\n  \"choices\": [\n    \"a\",\n    \"b\"\n  ],\n  \"answer\": 1\n}\n"
        #expect(try read(Array(pretty.utf8), as: "q.json").map(\.expected) == [.choice(1)])
        #expect(try refusal(Array("[\(Self.first), 7]".utf8)).contains("entry 2 is a number"))
        #expect(try refusal(Array("[]".utf8)).contains("no question"))
        #expect(try refusal(Array(#"{"question":["a","b"],"answer":["c","d"]}"#.utf8)).contains("column"))
        #expect(
            try refusal(Array("{\n\"question\": \"q\",\n\"answer\": \"a\"\n}\n{\n\"question\": 1\n}".utf8)).contains(
                "jq -c"))
    }

    @Test("Columns may be separated by tabs and semicolons, whatever the file's name", arguments: ["\t", ";", ","])
    func separators(separator: String) throws {
        let rows = [["question", "A", "B", "C", "D", "answer"], ["one, or; two", "a", "b", "c", "d", "C"]]
        let text = rows.map { $0.map { "\"\($0)\"" }.joined(separator: separator) + "\n" }.joined()
        for name in ["q.csv", "q.tsv", "q.txt", "q"] {
            let questions = try read(Array(text.utf8), as: name)
            #expect(questions.map(\.question) == ["one, or; two"] && questions[0].expected == .choice(2), "\(name)")
        }
        #expect(try refusal(Array("question,answer,question\na,b,c\n".utf8), as: "q.csv").contains("twice"))
        #expect(try refusal(Array("What?,a,b,c,d,A\nWho?,a,b,c,d,B\n".utf8), as: "q.csv").contains("first line"))
    }

    @Test(
        "Other kinds of file are named, with the way out",
        arguments: [
            ([0x1F, 0x8B, 8, 0, 0], "gunzip"), (Array("PAR1xxxxPAR1".utf8), "read_parquet"),
            (Array("ARROW1\0\0".utf8), "Arrow"), ([0x50, 0x4B, 3, 4, 20, 0], "unzip"),
            ([0x28, 0xB5, 0x2F, 0xFD, 0], "zstd -d"), ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "xz -d"),
            (Array("BZh91AY&SY".utf8), "bunzip2"), ([0xFF, 0xFE, 0x7B, 0], "UTF-16"),
            ([0xFE, 0xFF, 0, 0x7B], "UTF-16"),
            ([0x7B, 0, 0x22, 0, 0x71, 0, 0x22, 0], "UTF-16"), ([0, 0x7B, 0, 0x22, 0, 0x71, 0, 0x22], "UTF-16"),
            ([0xFF, 0xFE, 0, 0, 0x7B, 0, 0, 0], "UTF-32"),
            (Array("SQLite format 3\0".utf8), "SQLite"), ([0x7B, 0x22, 0xE9, 0x22], "UTF-8"),
            (Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\n".utf8), "git lfs pull"),
            (Array("<!DOCTYPE html><html></html>".utf8), "web page"),
        ] as [([UInt8], String)])
    func otherFiles(bytes: [UInt8], words: String) throws {
        for name in ["q.jsonl", "q.csv", "q"] {
            let reason = try refusal(bytes, as: name)
            #expect(reason.contains(words), "\(name): \(reason)")
        }
    }

    @Test("Pipes are read to their end; what never ends, is not")
    func pipes() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let pipe = folder.appending(path: "questions").path
        #expect(mkfifo(pipe, 0o600) == 0)
        let writer = Thread {
            guard let handle = FileHandle(forWritingAtPath: pipe) else { return }
            try? handle.write(contentsOf: Data((Self.first + "\r\n" + Self.second).utf8))
            try? handle.close()
        }
        writer.start()
        #expect(try QuestionFile.read(pipe, format: nil).count == 2)
        #expect(throws: EvaluationError.self) { try QuestionFile.read("/dev/null", format: nil) }
        #expect(throws: EvaluationError.self) { try QuestionFile.read(folder.path, format: nil) }
    }
}
