import Foundation
import Testing

/// Question files and results files of `eval`, as people have them.
@Suite(.serialized)
struct EvaluationFileTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func write(_ text: String, _ name: String) throws -> String {
        let path = folder.path(name)
        try FileManager.default.createDirectory(
            at: URL(filePath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    private let brief = ["eval", "--modes", "receiver", "--max-new-tokens", "2", "--json"]
    private let question = #"{"question":"What is it?","answer":"yes"}"#

    /// The ids, modes and answers in a results file.
    private func answers(_ path: String) throws -> Set<[String]> {
        let lines = try String(contentsOf: URL(filePath: path), encoding: .utf8).split(separator: "\n").dropFirst()
        return Set(
            try lines.map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return ["id", "mode", "text", "correct"].map { "\(object?[$0] ?? "")" }
            })
    }

    @Test("Every format is asked from end to end")
    func formats() throws {
        let rows = [
            ("native", #"{"question":"q","choices":["a","b"],"answer":1}"#),
            ("mmlu-redux", #"{"question":"q","choices":["a","b","c","d"],"answer":0,"error_type":"ok"}"#),
            ("mmlu-pro", #"{"question":"q","options":["a","b","c","d","e"],"answer":"E","answer_index":4}"#),
            ("mmmlu", #"{"Question":"q","A":"a","B":"b","C":"c","D":"d","Answer":"B","Subject":"s"}"#),
            (
                "gpqa",
                #"{"Question":"q","Correct Answer":"a","Incorrect Answer 1":"b","Incorrect Answer 2":"c","Incorrect Answer 3":"d"}"#
            ),
            ("arc", #"{"question":"q","choices":{"text":["a","b"],"label":["A","B"]},"answerKey":"A"}"#),
            ("openbookqa", #"{"question_stem":"q","choices":{"text":["a","b"],"label":["A","B"]},"answerKey":"A"}"#),
            ("ceval", #"{"question":"q","A":"a","B":"b","C":"c","D":"d","answer":"D"}"#),
            ("gsm8k", #"{"question":"q","answer":"so\n#### 7"}"#),
            ("math-500", #"{"problem":"q","answer":"\\frac{1}{2}"}"#),
            (
                "longbench",
                #"{"input":"q","context":"c","answers":["a"],"all_classes":null,"dataset":"hotpotqa","_id":"i"}"#
            ),
        ]
        for (format, row) in rows {
            let file = try write(row + "\n", "\(format).jsonl")
            let outcome = try Program.run(brief + ["--questions", file])
            #expect(outcome.status == 0, "\(format): \(outcome.errors)")
            let modes = try #require(try outcome.json()["modes"] as? [[String: Any]])
            #expect(modes.first?["questions"] as? Int == 1, "\(format)")
        }
    }

    @Test("A long text is cut in its middle to what the models take")
    func longText() throws {
        let context = String(repeating: "The person lives somewhere. ", count: 2000)
        let file = try write(
            #"{"input":"q","context":"\#(context)","answers":["a"],"dataset":"trec","all_classes":["a"],"_id":"i"}"#,
            "long.jsonl")
        let outcome = try Program.run(brief + ["--questions", file, "--context", "64"])
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    @Test("Questions from standard input")
    func standardInput() throws {
        let outcome = try Program.run(brief + ["--questions", "-"], input: question + "\r\n" + question)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try (outcome.json()["modes"] as? [[String: Any]])?.first?["questions"] as? Int == 2)
        let redux =
            #"{"question":"q","choices":["a","b"],"answer":0,"error_type":"expert"}"# + "\n"
            + #"{"question":"q","choices":["a","b"],"answer":0,"error_type":"ok"}"#
        #expect(try Program.run(brief + ["--questions", "-"], input: redux).errors.contains("1 of 2 questions"))
    }

    @Test("The end of a piped prompt's line isn't part of it, on Windows neither")
    func pipedPrompt() throws {
        let base = [
            "generate", "--receiver", Program.embedded("receiver"), "--raw", "--max-new-tokens", "1", "--json",
        ]
        let tokens = try ["Hi", "Hi\n", "Hi\r\n"].map { input in
            try #require(try Program.run(base, input: input).json()["prompt_tokens"] as? [Int])
        }
        #expect(tokens[0] == tokens[1] && tokens[0] == tokens[2])
        let lines = try Program.run(
            ["tokenize", Program.embedded("receiver"), "--json-lines"],
            input: "{\"text\":\"a\"}\r\n\r\n{\"text\":\"b\"}\r\n")
        #expect(lines.output.split(separator: "\n").count == 2 && !lines.output.contains("error"))
    }

    @Test("A killed evaluation goes on in the same file, to what an uninterrupted one gives")
    func interruption() throws {
        let base = ["eval", "--modes", "receiver", "--json", "--limit", "40"]
        let whole = try Program.run(base + ["--output", folder.path("whole")])
        #expect(whole.status == 0, "\(whole.errors)")
        let process = try Program.start(base + ["--output", folder.path("parts")])
        let file = URL(filePath: folder.path("parts"))
        func lines() -> Int {
            ((try? String(contentsOf: file, encoding: .utf8)) ?? "").split(separator: "\n").count
        }
        while process.isRunning, lines() < 4 { usleep(2000) }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal && (4..<41).contains(lines()), "\(lines()) lines")
        // What was cut off within a line is asked again.
        let kept = try Data(contentsOf: file)
        let before = kept.prefix(through: try #require(kept.lastIndex(of: 0x0A)))
        let resumed = try Program.run(base + ["--output", file.path])
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try Data(contentsOf: file).starts(with: before))
        #expect(try answers(file.path) == answers(folder.path("whole")) && lines() == 41)
    }

    @Test("Whatever changes results is asked anew, in another file")
    func settings() throws {
        let file = try write((0..<3).map { _ in question }.joined(separator: "\n"), "a/q.jsonl")
        let output = folder.path("results")
        let base = brief + ["--output", output]
        let first = try Program.run(base + ["--questions", file])
        #expect(first.status == 0, "\(first.errors)")
        let kept = try Data(contentsOf: URL(filePath: output))
        for (arguments, words) in [
            (["--shuffle"], "shuffle"), (["--system", "x"], "system"), (["--thinking", "on"], "thinking"),
            (["--background-tokens", "3"], "background-tokens"), (["--shots", "2"], "shots"),
            (["--background-request", "Say {question}"], "background-request"), (["--kv-dtype", "f32"], "kv-dtype"),
            (["--weights", "f16"], "weights"), (["--context", "100"], "context"), (["--fusion", "parallel"], "fusion"),
            (["--align", "first"], "align"), (["--max-new-tokens", "3"], "max-new-tokens"),
        ] {
            let outcome = try Program.run(base + ["--questions", file] + arguments)
            #expect(outcome.status == 2 && outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
        }
        // Another file of the same name; the same questions under another.
        let other = try write(#"{"question":"What is that?","answer":"no"}"#, "b/q.jsonl")
        let mixed = try Program.run(base + ["--questions", other])
        #expect(mixed.status == 2 && mixed.errors.contains("other questions"), "\(mixed.errors)")
        #expect(try Data(contentsOf: URL(filePath: output)) == kept)
        let same = try write((0..<3).map { _ in question }.joined(separator: "\r\n"), "c/other.jsonl")
        #expect(try Program.run(base + ["--questions", same]).status == 0)
        #expect(try Data(contentsOf: URL(filePath: output)) == kept)
        // The questions themselves are no results.
        let own = try Program.run(brief + ["--questions", file, "--output", file])
        #expect(own.status == 2 && own.errors.contains("--output"))
    }

    @Test("Another checkpoint under the same name is another model")
    func checkpoints() throws {
        let receiver = folder.path("receiver")
        try FileManager.default.copyItem(atPath: Program.embedded("receiver"), toPath: receiver)
        let file = try write(question, "q.jsonl")
        let base = brief + ["--receiver", receiver, "--questions", file, "--output", folder.path("o")]
        let first = try Program.run(base)
        #expect(first.status == 0, "\(first.errors)")
        let weights = URL(filePath: receiver).appending(path: "model.safetensors")
        var bytes = try Data(contentsOf: weights)
        // As if trained on: the same shapes, and nearly all weights a little other.
        for index in stride(from: bytes.count / 2, to: bytes.count, by: 2) { bytes[index] ^= 1 }
        try bytes.write(to: weights)
        let second = try Program.run(base)
        #expect(second.status == 2 && second.errors.contains("other receiver"), "\(second.errors)")
    }

    @Test("Results to standard output come with the summary, and end quietly where nobody reads them")
    func standardOutput() throws {
        let file = try write(question + "\n" + question, "q.jsonl")
        let outcome = try Program.run(brief + ["--questions", file, "--output", "/dev/stdout"])
        let lines = outcome.output.split(separator: "\n")
        #expect(outcome.status == 0 && lines.count == 4 && lines[0].contains("\"evaluation\""), "\(outcome.output)")
        let command = ([Program.executable.path] + brief + ["--questions", file, "--output", "/dev/stdout"])
            .map { "'\($0)'" }.joined(separator: " ")
        let shell = try Program.run(
            ["-c", "\(command) | head -n 1 | wc -l"], executable: URL(filePath: "/bin/bash"))
        #expect(shell.output.contains("1") && shell.errors.isEmpty, "\(shell.errors)")
    }
}
