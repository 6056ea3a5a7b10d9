import Foundation
import Testing

/// The embedded pair, and what measures it.
@Suite(.serialized)
struct EvaluationCommandTests {
    private struct Results: Decodable {
        struct Sample: Decodable {
            var question: String
            var tokens: [String: [Int]]
        }

        var questions: Int
        var accuracy: [String: Double]
        var samples: [Sample]
    }

    private static let resources = Program.fixtures.deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Sources/DemoPair/Resources")

    private func results() throws -> Results {
        try JSONDecoder().decode(
            Results.self, from: Data(contentsOf: Self.resources.appending(path: "results.json")))
    }

    @Test("The training tool's figures hold: nothing, everything, nearly everything")
    func figures() throws {
        let results = try results()
        let receiver = try #require(results.accuracy["receiver"])
        let text = try #require(results.accuracy["text"])
        let fused = try #require(results.accuracy["c2c"])
        #expect(results.questions >= 500 && receiver < 12)
        #expect(fused >= receiver + 80 && fused >= text - 12)
        let weights = try FileManager.default.subpathsOfDirectory(atPath: Self.resources.path)
            .filter { $0.hasSuffix(".safetensors") || $0.hasSuffix(".pt") }
        let size = try weights.reduce(0) { sum, path in
            let file = Self.resources.appending(path: path)
            return sum + (try file.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0)
        }
        #expect(size < 6_000_000)
    }

    @Test("In every mode the tokens are the training tool's own", arguments: ["0", "cpu"])
    func tokens(_ device: String) throws {
        let samples = try results().samples
        #expect(samples.count >= 20)
        for sample in samples.prefix(device == "cpu" ? 6 : 3) {
            for (mode, tokens) in sample.tokens {
                let outcome = try Program.run([
                    "generate", sample.question, "--mode", mode, "--kv-dtype", "f32", "--json", "--device", device,
                ])
                #expect(try outcome.json()["tokens"] as? [Int] == tokens, "\(mode): \(sample.question)")
            }
        }
    }

    @Test("The figures are the training tool's, on a part of the questions, on the CPU reference")
    func accuracy() throws {
        let expected = try results().accuracy
        let outcome = try Program.run([
            "eval", "--device", "cpu", "--limit", "60", "--kv-dtype", "f32", "--json",
        ])
        let modes = try #require(try outcome.json()["modes"] as? [[String: Any]])
        #expect(modes.map { $0["mode"] as? String } == ["receiver", "sharer", "text", "c2c"])
        for mode in modes {
            let name = try #require(mode["mode"] as? String)
            let share = 100 * (try #require(mode["accuracy"] as? Double))
            // Four standard errors of a share of 60 questions, at most.
            let wanted = (expected[name] ?? 0) / 100
            let scatter = 400 * (max(wanted * (1 - wanted), 0.005) / 60).squareRoot()
            #expect(abs(share - 100 * wanted) <= scatter, "\(name): \(share) against \(100 * wanted)")
        }
    }

    @Test("The demo shows each way of answering, and gives its numbers as one object")
    func demo() throws {
        let shown = try Program.run(["demo", "--questions", "5"])
        #expect(shown.status == 0, "\(shown.errors)")
        for words in ["receiver", "sharer", "text", "c2c", "Controls", "Gates"] {
            #expect(shown.output.contains(words))
        }
        let report = try Program.run(["demo", "--questions", "3", "--json"]).json()
        let modes = try #require(report["modes"] as? [String: [String: Double]])
        #expect(Set(modes.keys) == ["receiver", "sharer", "text", "c2c"])
        for mode in modes.values {
            #expect(
                Set(mode.keys) == [
                    "accuracy", "questions", "tokens", "sequential_steps", "median_ttft_s", "median_total_s",
                ])
        }
    }

    /// What a file of results says of each question in each mode, in no order.
    private func answers(_ path: String) throws -> Set<[String]> {
        let lines = try String(contentsOf: URL(filePath: path), encoding: .utf8).split(separator: "\n").dropFirst()
        let answers = try lines.map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return ["id", "mode", "text", "predicted", "correct"].map { "\(object?[$0] ?? "")" }
        }
        #expect(Set(answers).count == answers.count)
        return Set(answers)
    }

    @Test("Questions asked together get the answers they get one by one", arguments: ["0", "cpu"])
    func batches(_ device: String) throws {
        let folder = try TemporaryFolder()
        let base = ["eval", "--device", device, "--limit", "9", "--background-tokens", "24", "--json"]
        let alone = try Program.run(base + ["--output", folder.path("alone"), "--batch", "1"])
        #expect(alone.status == 0, "\(alone.errors)")
        // A batch of four, cut off; then the rest in others.
        _ = try Program.run(base + ["--output", folder.path("together"), "--batch", "4"])
        let file = URL(filePath: folder.path("together"))
        let whole = try answers(file.path)
        var lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        lines.removeLast(lines.count - 7)
        try Data((lines.joined(separator: "\n") + "\n{\"id").utf8).write(to: file)
        let together = try Program.run(base + ["--output", file.path, "--batch", "auto"])
        #expect(together.status == 0, "\(together.errors)")
        #expect(try whole == answers(folder.path("alone")) && answers(file.path) == whole && whole.count == 36)
        for mode in try #require(try together.json()["modes"] as? [[String: Any]]) {
            #expect(mode["questions"] as? Int == 9 && mode["median_total_s"] == nil)
            #expect(try #require(mode["questions_per_s"] as? Double) > 0 && mode["batch"] as? Int ?? 0 > 1)
        }
        let wrong = try Program.run(base + ["--batch", "0"])
        #expect(wrong.status == 2 && wrong.errors.contains("--batch"))
    }

    @Test("An interrupted evaluation goes on to what an uninterrupted one gives")
    func resume() throws {
        let folder = try TemporaryFolder()
        let base = ["eval", "--modes", "receiver,c2c", "--device", "cpu", "--json"]
        let whole = try Program.run(base + ["--limit", "6", "--output", folder.path("whole")])
        #expect(whole.status == 0, "\(whole.errors)")
        _ = try Program.run(base + ["--limit", "3", "--output", folder.path("parts")])
        // As if killed within a line.
        var lines = try Data(contentsOf: URL(filePath: folder.path("parts")))
        lines.removeLast(20)
        try lines.write(to: URL(filePath: folder.path("parts")))
        let resumed = try Program.run(base + ["--limit", "6", "--output", folder.path("parts")])
        #expect(resumed.status == 0)
        let (all, parts) = (try answers(folder.path("whole")), try answers(folder.path("parts")))
        #expect(all.count == 12 && all == parts)

        let other = try Program.run(base + ["--limit", "6", "--output", folder.path("parts"), "--max-new-tokens", "3"])
        #expect(other.status == 2 && other.errors.contains("max-new-tokens"))
    }

    @Test("Questions of choice, by text and by logits, with exemplars, a report and subjects")
    func choices() throws {
        let folder = try TemporaryFolder()
        let lines = (0..<5).map {
            #"{"question":"Which?","choices":["red","blue"],"answer":\#($0 % 2),"subject":"s\#($0 % 2)"}"#
        }
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: folder.path("q.jsonl")))
        for method in ["generate", "logits"] {
            let outcome = try Program.run([
                "eval", "--questions", folder.path("q.jsonl"), "--method", method, "--modes",
                "receiver,sharer,text,c2c,oracle", "--shots", "1", "--max-new-tokens", "4", "--background-tokens", "4",
                "--device", "cpu", "--report", folder.path("r.html"), "--shuffle", "--seed", "3", "--output",
                folder.path(method),
            ])
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.contains("oracle") && outcome.output.contains("| s1 "))
            let page = try String(contentsOf: URL(filePath: folder.path("r.html")), encoding: .utf8)
            #expect(page.contains("</html>"))
            let together = try Program.run([
                "eval", "--questions", folder.path("q.jsonl"), "--method", method, "--modes",
                "receiver,sharer,text,c2c,oracle", "--shots", "1", "--max-new-tokens", "4", "--background-tokens", "4",
                "--device", "cpu", "--batch", "3", "--output", folder.path("\(method)-together"),
            ])
            #expect(together.status == 0, "\(together.errors)")
            #expect(try answers(folder.path(method)) == answers(folder.path("\(method)-together")))
        }
        for (arguments, words) in [
            (["--modes", "nonsense"], "nonsense"),
            (["--questions", try TemporaryFolder.missingPath()], "no such file"),
            (["--shots", "9999", "--modes", "oracle"], "--shots"), (["--method", "logits"], "no choices"),
            (["--shots", "90", "--modes", "oracle"], "question 1, mode oracle: the prompt has"),
            (["--context", "15", "--batch", "2", "--modes", "receiver"], "mode receiver: the prompt has"),
        ] {
            let outcome = try Program.run(["eval", "--device", "cpu", "--limit", "2"] + arguments)
            #expect(outcome.status == 2 && outcome.errors.contains(words), "\(outcome.errors)")
        }
    }

    @Test("The pair is unpacked again where a cleaner has been, and elsewhere where it can't be written")
    func unpacking() throws {
        let folder = try TemporaryFolder()
        let arguments = ["generate", "Hello", "--device", "cpu", "--max-new-tokens", "1"]
        func run(_ cache: String) throws {
            let outcome = try Program.run(arguments, environment: ["XDG_CACHE_HOME": cache])
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        try run(folder.url.path)
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.url.path)
        for name in ["receiver/tokenizer.json", "sharer/model.safetensors"] {
            let file = folder.path(try #require(files.first { $0.hasSuffix(name) }))
            try Data("{}".utf8).write(to: URL(filePath: file))
            try run(folder.url.path)
            #expect(try Data(contentsOf: URL(filePath: file)).count > 2)
        }
        try run("/dev/null")
    }

    @Test("Penalties and stop strings may begin with a dash; a sharer that answers has its own time")
    func dashes() throws {
        let report = try Program.run([
            "generate", "Hello", "--mode", "sharer", "--presence-penalty", "-0.5", "--stop", "-x", "--json",
            "--max-new-tokens", "2",
        ]).json()
        let timings = try #require(report["timings"] as? [String: Double])
        #expect(timings["receiver_prefill_s"] == 0 && (timings["sharer_prefill_s"] ?? 0) > 0)
    }
}
