import Foundation
import Testing

/// Text in, text out: templates, tokenizers, alignment, sampling and turns, as a user runs them.
@Suite(.serialized)
struct TextTests {
    private static let aligned = "golden/qwen3_from_llama_aligned"

    private struct AlignedCase: Decodable {
        struct Sub: Decodable {
            var prompt_ids: [Int]
            var sharer_prompt_ids: [Int]
            var sections: [[Int]]
            var tokens: [Int]
        }

        var system: String
        var text: String
        var sub: [String: Sub]
    }

    private func generate(_ arguments: [String], input: String? = nil) throws -> [String: Any] {
        let outcome = try Program.run(["generate", "--json", "--kv-dtype", "f32"] + arguments, input: input)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try outcome.json()
    }

    @Test("A pair with two tokenizers answers as the reference implementation's, from text and from ids")
    func aligned() throws {
        let file = Program.fixtures.appending(path: "\(Self.aligned)/case.json")
        let golden = try JSONDecoder().decode(AlignedCase.self, from: Data(contentsOf: file))
        let pair = Program.pair(Self.aligned) + ["--max-new-tokens", "16", "--ignore-eos"]
        for (strategy, expected) in golden.sub {
            let fromText = try generate(pair + ["--align", strategy, "--system", golden.system, golden.text])
            #expect(fromText["prompt_tokens"] as? [Int] == expected.prompt_ids)
            #expect(fromText["sharer_prompt_tokens"] as? [Int] == expected.sharer_prompt_ids)
            #expect(fromText["tokens"] as? [Int] == expected.tokens)
            func joined(_ ids: [Int]) -> String { ids.map(String.init).joined(separator: " ") }
            let sections = expected.sections.map { "\($0[0]):\($0[1])" }.joined(separator: ",")
            let fromIDs = try generate(
                pair + [
                    "--prompt-ids", joined(expected.prompt_ids), "--sharer-prompt-ids",
                    joined(expected.sharer_prompt_ids), "--sections", sections,
                ])
            #expect(fromIDs["tokens"] as? [Int] == expected.tokens)
            // What the fuser's configuration says.
            if strategy == "longest" {
                let automatic = try generate(pair + ["--system", golden.system, golden.text])
                #expect(automatic["tokens"] as? [Int] == expected.tokens)
            }
        }
    }

    @Test("Text-to-text reports both stages; a prompt may come through a pipe")
    func textToText() throws {
        let report = try generate(
            [
                "--mode", "text", "--background-tokens", "8", "--background-request", "{question}",
                "--max-new-tokens", "8",
            ], input: "Where does Mira Falk live?\n")
        let stages = try #require(report["stages"] as? [[String: Any]])
        #expect(stages.map { $0["model"] as? String } == ["sharer", "receiver"])
        #expect(stages.allSatisfy { ($0["prompt_tokens"] as? [Int])?.isEmpty == false && $0["tokens"] is [Int] })
        #expect(report["tokens"] as? [Int] == stages[1]["tokens"] as? [Int])
        #expect((report["sequential_steps"] as? Int ?? 0) > 2)
    }

    @Test("Device and CPU draw the same answer from a seed; another seed draws another")
    func seeds() throws {
        let base = ["--temperature", "1.5", "--top-p", "0.95", "--ignore-eos", "Hello"]
        let first = try generate(base + ["--max-new-tokens", "12", "--seed", "5"])["tokens"] as? [Int]
        let cpu = try generate(base + ["--max-new-tokens", "12", "--seed", "5", "--device", "cpu"])["tokens"] as? [Int]
        let other = try generate(base + ["--max-new-tokens", "12", "--seed", "6"])["tokens"] as? [Int]
        #expect(first == cpu && first != other && first?.count == 12)
    }

    @Test("tokenize and template answer line by line, errors included")
    func jsonLines() throws {
        let folder = Program.fixture("\(Self.aligned)/receiver")
        let tokens = try Program.run(
            ["tokenize", folder, "--json-lines"],
            input: """
                {"text":"Hi <|im_end|>","special":true}
                {"ids":[902],"skip_special":true}
                {"ids":[902],"skip_special":false}
                {"ids":[99999],"skip_special":false}

                nonsense
                {"text":7}
                """)
        #expect(tokens.status == 0)
        let lines = tokens.output.split(separator: "\n")
        #expect(lines.count == 6 && lines[0].hasPrefix(#"{"ids":["#) && lines[0].hasSuffix("902]}"))
        #expect(lines[1] == #"{"text":""}"# && lines[2] == #"{"text":"<|im_end|>"}"#)
        #expect(lines[3...].allSatisfy { $0.hasPrefix(#"{"error":""#) })

        let texts = try Program.run(
            ["template", folder, "--json-lines"],
            input: """
                {"messages":[{"role":"user","content":"Hi"}],"add_generation_prompt":true,"variables":{"enable_thinking":false}}
                {"messages":7}
                """)
        let rendered = texts.output.split(separator: "\n")
        #expect(texts.status == 0 && rendered.count == 2)
        #expect(
            rendered.first
                == #"{"text":"<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"}"#)
        #expect(rendered.last?.hasPrefix(#"{"error":""#) == true)
    }

    @Test("tokenize goes both ways")
    func tokenize() throws {
        let folder = Program.fixture("\(Self.aligned)/receiver")
        let ids = try Program.run(["tokenize", folder, "Grüße"]).output.trimmingCharacters(in: .newlines)
        #expect(try Program.run(["tokenize", folder, "--ids", ids]).output == "Grüße\n")
        #expect(try Program.run(["tokenize", folder], input: "Grüße").output == ids + "\n")
    }

    @Test("chat keeps history and caches through a pipe")
    func chat() throws {
        let folder = try TemporaryFolder()
        let outcome = try Program.run(
            ["chat", "--max-new-tokens", "12", "--kv-dtype", "f32"],
            input: """
                Where does Mira Falk live?
                What does \\
                Oskar Conti work as?
                /mode receiver
                Hello
                /mode
                /stats
                /save \(folder.path("talk.json"))
                /reset
                /stats
                /quit
                never read
                """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.split(separator: "\n").count == 3)
        let saved = try JSONSerialization.jsonObject(
            with: Data(contentsOf: URL(filePath: folder.path("talk.json"))))
        let messages = try #require((saved as? [String: Any])?["messages"] as? [[String: String]])
        #expect(messages.map { $0["role"] } == ["user", "assistant", "user", "assistant", "user", "assistant"])
        #expect(messages[2]["content"] == "What does \nOskar Conti work as?")
        let rows = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("|") }
        // A header and a rule, three turns, and again a header and a rule.
        #expect(rows.count == 7)
        let kept = rows[3].split(separator: "|")[3].trimmingCharacters(in: .whitespaces)
        #expect((Int(kept) ?? 0) > 5)
    }

    @Test("What can't be done in a chat ends a pipe with one line")
    func chatErrors() throws {
        for (input, words) in [
            ("/nonsense\n", "/help"), ("/mode c2c\n", "possible are receiver"), ("/save\n", "file"),
            ("/save \(try TemporaryFolder.missingPath())\n", "can't be written"),
            (String(repeating: "long ", count: 900), "more than the context"),
        ] {
            let outcome = try Program.run(
                ["chat", "--mode", "receiver", "--receiver", Program.embedded("receiver")], input: input)
            #expect(outcome.status == 2 && outcome.errors.contains(words), "\(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1)
        }
    }

    @Test("A name in the Hugging Face cache is as good as a directory")
    func hubCache() throws {
        let folder = try TemporaryFolder()
        let snapshot = folder.path("hub/models--org--pair/snapshots/0123456789abcdef0123456789abcdef01234567")
        try FileManager.default.createDirectory(
            atPath: folder.path("hub/models--org--pair/refs"), withIntermediateDirectories: true)
        // Snapshots are links to blobs.
        for (index, file) in try FileManager.default.subpathsOfDirectory(atPath: Program.embedded("")).enumerated()
        where file.contains(".") {
            let blob = folder.url.appending(path: "hub/models--org--pair/blobs/\(index)")
            let link = URL(filePath: snapshot).appending(path: file)
            for place in [blob, link] {
                try FileManager.default.createDirectory(
                    at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
            }
            try FileManager.default.copyItem(atPath: Program.embedded(file), toPath: blob.path)
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: blob)
        }
        try Data("0123456789abcdef0123456789abcdef01234567".utf8).write(
            to: URL(filePath: folder.path("hub/models--org--pair/refs/main")))
        let home = ["HF_HOME": folder.url.path, "HF_HUB_CACHE": ""]
        let flags = [
            "--receiver", "org/pair/receiver", "--sharer", "org/pair@main/sharer", "--fuser", "org/pair@0123456/fuser",
        ]
        let outcome = try Program.run(["generate", "Hello", "--max-new-tokens", "2"] + flags, environment: home)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let missing = try Program.run(
            ["generate", "Hello", "--receiver", "Qwen/Qwen3-0.6B"], environment: home)
        #expect(missing.status == 2 && missing.errors.contains("hf download Qwen/Qwen3-0.6B"))
    }

    // MARK: Text without a template

    @Test("Text without a template gets the tokens that the tokenizer puts around a text, unless they are left out")
    func beginning() throws {
        // As transformers' tokenizer("Hi").
        let llama = ["--receiver", Program.fixture("\(Self.aligned)/sharer"), "--raw", "--max-new-tokens", "1", "Hi"]
        let ids = try Program.run(["tokenize", Program.fixture("\(Self.aligned)/sharer"), "--special", "Hi"]).output
            .split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        #expect(ids.count == 3)
        #expect(try generate(llama)["prompt_tokens"] as? [Int] == ids)
        #expect(try generate(llama + ["--no-bos"])["prompt_tokens"] as? [Int] == Array(ids.dropFirst()))
        // One that is written out is enough.
        let written = llama.dropLast() + ["<|begin_of_text|>Hi"]
        #expect(try generate(Array(written))["prompt_tokens"] as? [Int] == ids)
        // Aligned, each side has its own beginning; the receiver here has none.
        let pair = Program.pair(Self.aligned) + ["--raw", "--max-new-tokens", "1", "Hi you"]
        let aligned = try generate(pair)
        let bare = try generate(pair + ["--no-bos"])
        let (sharer, without) = (aligned["sharer_prompt_tokens"] as? [Int], bare["sharer_prompt_tokens"] as? [Int])
        #expect(sharer?.count == (without?.count ?? 0) + 1 && sharer?.dropFirst() == without?[...])
        #expect(sharer?.first == ids.first)
    }

    // MARK: What can't be fused

    @Test("A message that can't be aligned is left unfused with one warning, and the conversation goes on")
    func unaligned() throws {
        let flags = Program.pair(Self.aligned) + ["--max-new-tokens", "2"]
        // The answer begins with white space, which the sharer's template takes away.
        let talk = "Question number 0\nand then?\nand then?\n"
        let chat = try Program.run(["chat"] + flags, input: talk)
        #expect(chat.status == 0, "\(chat.errors)")
        #expect(chat.output.filter { $0 == "\n" }.count >= 3)
        #expect(chat.errors.components(separatedBy: "warning: ").count == 2 && chat.errors.contains("message 2"))
        // Tokens of the receiver that the sharer has none for.
        let shared = try Program.run(["chat", "--align", "none"] + flags, input: talk)
        #expect(shared.status == 0, "\(shared.errors)")
        #expect(shared.errors.components(separatedBy: "warning: ").count == 2 && shared.errors.contains("unfused"))
        // Ids that are given are read as they are, or not at all.
        let given = try Program.run(["generate", "--align", "none", "--prompt-ids", "1 901 2"] + flags)
        #expect(given.status == 2 && given.errors.contains("901"))
    }

    @Test("An evaluation asks all questions, those that can't be aligned too")
    func unalignedQuestions() throws {
        let folder = try TemporaryFolder()
        let questions = ["a b?", "c d? ", "e f?"].map { #"{"question":"\#($0)","answer":"x"}"# + "\n" }.joined()
        try Data(questions.utf8).write(to: URL(filePath: folder.path("q.jsonl")))
        let outcome = try Program.run(
            ["eval"] + Program.pair(Self.aligned)
                + ["--max-new-tokens", "2", "--questions", folder.path("q.jsonl"), "--modes", "c2c", "--json"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("c2c"))
    }

    @Test("The sharer may be told something else; that is padded, and the messages alone are fused")
    func sharerSystem() throws {
        let flags = ["--max-new-tokens", "2", "--ignore-eos", "Hi you"]
        for pair in [Program.pair(Self.aligned), Program.pair("golden/qwen3_from_qwen2")] {
            let told = try generate(
                pair + ["--system", "Be brief.", "--sharer-system", "You know much more than that."] + flags)
            let (receiver, sharer) = (
                told["prompt_tokens"] as? [Int] ?? [], told["sharer_prompt_tokens"] as? [Int] ?? []
            )
            #expect(!receiver.isEmpty && receiver.count == sharer.count && receiver != sharer)
            // Each reads its own text, and nothing of the other's.
            func text(_ ids: [Int], _ model: Int) throws -> String {
                try Program.run(["tokenize", pair[model], "--ids", ids.map(String.init).joined(separator: " ")]).output
            }
            #expect(try text(receiver, 1).contains("Be brief.") && !text(receiver, 1).contains("much more"))
            #expect(try text(sharer, 3).contains("You know much more than that.") && !text(sharer, 3).contains("brief"))
            // It tells the sharer in its other modes as well.
            let alone = try generate(
                pair + ["--mode", "sharer", "--system", "Be brief.", "--sharer-system", "You know much."] + flags)
            #expect(try text(alone["prompt_tokens"] as? [Int] ?? [], 3).contains("You know much."))
            let nothing = try generate(
                pair + ["--mode", "sharer", "--system", "Be brief.", "--sharer-system", ""] + flags)
            let plain = try generate(pair + ["--mode", "sharer"] + flags)
            #expect(nothing["prompt_tokens"] as? [Int] == plain["prompt_tokens"] as? [Int])
        }
    }

    @Test("Aligning what needs no alignment is warned of")
    func needlessAlignment() throws {
        let flags = ["generate", "--max-new-tokens", "1", "Hello"]
        let forced = try Program.run(flags + ["--align", "longest"])
        #expect(forced.status == 0 && forced.errors.contains("warning: receiver and sharer have the same tokenizer"))
        for usual in [flags, flags + ["--align", "none"], flags + Program.pair(Self.aligned) + ["--align", "first"]] {
            #expect(try !Program.run(usual).errors.contains("warning"))
        }
    }
}
