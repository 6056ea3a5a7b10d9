import Foundation
import Testing

/// `chat` draws its tokens as generation_config.json says; `generate` and `eval` take the likeliest.
@Suite(.serialized)
struct ChatSamplingTests {
    /// The embedded receiver, with another generation_config.json.
    private func model(_ fields: String, in folder: TemporaryFolder) throws -> String {
        let target = folder.path("model")
        if !FileManager.default.fileExists(atPath: target) {
            try FileManager.default.copyItem(atPath: Program.embedded("receiver"), toPath: target)
        }
        try Data("{\"eos_token_id\": [1027, 1024]\(fields.isEmpty ? "" : ", ")\(fields)}".utf8)
            .write(to: URL(filePath: "\(target)/generation_config.json"))
        return target
    }

    private func chat(_ fields: String, _ flags: [String] = []) throws -> Program.Outcome {
        let folder = try TemporaryFolder()
        return try Program.run(
            ["chat", "--receiver", try model(fields, in: folder)] + flags, input: "What does Erik Drusk work as?\n")
    }

    @Test(
        "what is said of the file's settings",
        arguments: [
            (
                #""do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95"#, [],
                "sampling: temperature 0.6, top-k 20, top-p 0.95; as the receiver's generation_config.json says; flags override"
            ),
            // transformers' own values, where the file is silent.
            (#""do_sample": true"#, [], "sampling: temperature 1, top-k 50; as the receiver's"),
            (#""do_sample": true, "top_k": null, "top_p": 0.5"#, [], "sampling: temperature 1, top-p 0.5; as"),
            (#""do_sample": true, "top_k": 0, "min_p": 0.1"#, [], "sampling: temperature 1, min-p 0.1; as"),
            (#""do_sample": true, "top_k": -1"#, [], "sampling: temperature 1; as"),
            // A penalty holds without chance, too.
            (
                #""repetition_penalty": 1.1"#, [],
                "sampling: the likeliest token, repetition penalty 1.1; as the receiver's"
            ),
            (
                #""do_sample": true, "temperature": 0.6, "top_k": 20"#, ["--temperature", "0.9", "--top-p", "0.5"],
                "sampling: temperature 0.9, top-k 20, top-p 0.5; as the receiver's generation_config.json says, and flags"
            ),
        ])
    func said(_ fields: String, _ flags: [String], _ line: String) throws {
        let outcome = try chat(fields, flags)
        #expect(outcome.status == 0 && outcome.errors.contains(line), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    @Test("where flags say all of it, there is nothing to say of the file")
    func overridden() throws {
        let outcome = try chat(
            #""do_sample": true, "temperature": 0.6, "repetition_penalty": 1.5"#,
            ["--temperature", "0", "--repetition-penalty", "1.2"])
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    }

    @Test("what is said is done: the answer is that of the same flags, and greedy ones stay greedy")
    func done() throws {
        let folder = try TemporaryFolder()
        let question = "What does Erik Drusk work as?"
        // So hot that the likeliest tokens don't come by chance.
        let hot = try model(#""do_sample": true, "temperature": 50.0, "top_k": 400"#, in: folder)
        let drawn = try Program.run(["chat", "--receiver", hot, "--max-new-tokens", "8"], input: question)
        let flagged = try Program.run(
            ["generate", "--receiver", hot, "--max-new-tokens", "8", "--temperature", "50", "--top-k", "400", question])
        let greedy = try Program.run(["generate", "--receiver", hot, "--max-new-tokens", "8", question])
        #expect(drawn.output == flagged.output && drawn.output != greedy.output)
        let cold = try model("", in: folder)
        let silent = try Program.run(["chat", "--receiver", cold, "--max-new-tokens", "8"], input: question)
        #expect(silent.output == greedy.output && silent.errors.isEmpty, "\(silent.errors)")
        // Without do_sample nothing is drawn, as in transformers.
        let undrawn = try model(#""temperature": 50.0, "top_k": 400"#, in: folder)
        #expect(
            try Program.run(["chat", "--receiver", undrawn, "--max-new-tokens", "8"], input: question).output
                == greedy.output)
    }

    @Test(
        "values that can't be used are left out of account, with a warning each",
        arguments: [
            (#""do_sample": true, "temperature": -1"#, "temperature"),
            (#""do_sample": true, "temperature": "hot""#, "temperature"),
            (#""do_sample": true, "temperature": 1e300"#, "temperature"),
            (#""do_sample": true, "top_k": 2.5"#, "top_k"),
            (#""do_sample": true, "top_k": 99999999999999"#, "top_k"), (#""do_sample": true, "top_p": 0"#, "top_p"),
            (#""do_sample": true, "top_p": 1.5"#, "top_p"), (#""do_sample": true, "min_p": -0.5"#, "min_p"),
            (#""repetition_penalty": 0"#, "repetition_penalty"), (#""do_sample": "yes""#, "do_sample"),
            (#""do_sample": true, "num_beams": 4"#, "num_beams"),
            (#""no_repeat_ngram_size": 3"#, "no_repeat_ngram_size"),
        ])
    func hostile(_ fields: String, _ name: String) throws {
        let outcome = try chat(fields)
        #expect(outcome.status == 0 && !outcome.output.isEmpty)
        let warnings = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("warning: ") }
        #expect(warnings.count == 1 && warnings[0].contains(name), "\(outcome.errors)")
        #expect(warnings.first?.contains("left out of account") == true)
    }

    @Test("each of several end tokens ends an answer")
    func ends() throws {
        let folder = try TemporaryFolder()
        let target = try model("", in: folder)
        let report = try Program.run(["generate", "--receiver", target, "--json", "What does Erik Drusk work as?"])
            .json()
        let tokens = try #require(report["tokens"] as? [Int])
        #expect(tokens.count > 2 && report["finish_reason"] as? String == "stop")
        try Data("{\"eos_token_id\": [1027, \(tokens[2])]}".utf8)
            .write(to: URL(filePath: "\(target)/generation_config.json"))
        let shorter = try Program.run(["generate", "--receiver", target, "--json", "What does Erik Drusk work as?"])
            .json()
        #expect(shorter["tokens"] as? [Int] == Array(tokens.prefix(2)))
    }

    @Test(
        "at a terminal the context is said, why it is so large, and what its caches take",
        .enabled(if: PseudoTerminal.isAvailable))
    func context() throws {
        for (flags, context) in [
            ([], "context: 512 tokens, all that the models were made for; caches take 512.0 KiB, 1.00 KiB a token"),
            (
                ["--context", "100"],
                "context: 100 tokens, of 512 that the models were made for; --context N changes it"
            ),
        ] {
            let terminal = try PseudoTerminal(["chat", "--receiver", Program.embedded("receiver")] + flags)
            #expect(terminal.waitFor(context), "\(terminal.transcript)")
            #expect(terminal.waitFor("sampling: the likeliest token; --temperature draws"))
            #expect(terminal.waitFor("> "))
            terminal.send("/quit\r")
            #expect(terminal.exitCode() == 0)
        }
    }
}
