import Testing

/// An option that a command, or this call of it, has no use for is refused: ignored, it would let somebody believe that it
/// did something.
@Suite(.serialized)
struct RefusedOptionTests {
    private static let golden = "golden/qwen3_from_qwen2"
    private let alone = ["--receiver", Program.fixture("\(golden)/receiver")]
    private let pair = Program.pair(golden)

    @Test("options of other commands")
    func foreign() throws {
        try Program.expectFailure(["eval", "--mode", "receiver"], says: ["--mode", "--modes"])
        try Program.expectFailure(["bench", "--mode", "receiver"], says: ["--mode"])
        try Program.expectFailure(["bench", "--align", "first"], says: ["--align"])
        try Program.expectFailure(["eval", "--temperature", "1"], says: ["--temperature"])
        try Program.expectFailure(["verify", "--system", "x"], says: ["--system"])
        try Program.expectFailure(["demo", "--mode", "c2c"], says: ["--mode"])
    }

    @Test("what is about sharers, where there is none", arguments: ["generate", "chat", "verify", "eval", "bench"])
    func sharers(_ command: String) throws {
        try Program.expectFailure([command, "--fusion", "parallel"] + alone, says: ["--fusion", "--sharer"])
        if command != "bench" {
            try Program.expectFailure([command, "--align", "first"] + alone, says: ["--align", "--sharer"])
        }
        try Program.expectFailure(
            [command] + alone + ["--fuser", Program.fixture("\(Self.golden)/fuser")],
            says: ["there are 0 --sharer and 1 --fuser; give one fuser for each sharer"])
        try Program.expectFailure([command] + alone + ["--fuser", "nowhere"], says: ["0 --sharer and 1 --fuser"])
    }

    @Test("what is about text-to-text or about fusing answers, where no sharer is")
    func modes() throws {
        for option in [["--background-tokens", "3"], ["--background-request", "Tell me: {question}"]] {
            for command in ["generate", "chat", "eval"] {
                try Program.expectFailure([command] + option + alone, says: [option[0], "--sharer"])
            }
        }
        try Program.expectFailure(
            ["generate", "--include-response"] + alone, says: ["--include-response", "--sharer"])
    }

    @Test("what is about conversations, for a prompt of tokens or as it is")
    func conversations() throws {
        for option in [["--system", "Be brief."], ["--thinking", "on"]] {
            try Program.expectFailure(
                ["generate", "--prompt-ids", "1 2"] + option + pair, says: [option[0], "--prompt-ids"])
            try Program.expectFailure(["generate", "--raw", "Hi"] + option, says: [option[0], "--raw"])
        }
        try Program.expectFailure(
            ["generate", "--mode", "text", "Hi", "--sections", "3:1,1:-1"], says: ["--sections", "text"])
    }

    @Test("what measures a Vulkan device, on the CPU reference")
    func reference() throws {
        try Program.expectFailure(["generate", "--profile", "--device", "cpu", "Hi"], says: ["--profile", "--device"])
        try Program.expectFailure(["bench", "--profile", "--device", "cpu"], says: ["--profile", "--device"])
        try Program.expectFailure(
            ["generate", "--profile", "Hi"], says: ["--profile"], environment: ["C2C_VK_DEVICE": "cpu"])
    }

    @Test("a tokenizer's")
    func tokenizer() throws {
        let model = Program.embedded("receiver")
        try Program.expectFailure(["tokenize", model, "--special", "--ids", "1"], says: ["--special", "--ids"])
        try Program.expectFailure(
            ["tokenize", model, "--special", "--json-lines"], says: ["--special", "--json-lines"])
    }

    /// So that scripts can change one flag and leave the others.
    @Test(
        "what another mode, or chance, would give a meaning is accepted, and said to do nothing",
        arguments: [
            (["--top-k", "3"], "--top-k does nothing without --temperature", ["--temperature", "0.5"]),
            (["--top-p", "0.5"], "--top-p does nothing without --temperature", ["--temperature", "0"]),
            (["--min-p", "0.1"], "--min-p does nothing without --temperature", ["--temperature", "0.5"]),
            (["--background-tokens", "3"], "--background-tokens does nothing in mode c2c", ["--mode", "text"]),
            (
                ["--mode", "receiver", "--background-request", "Tell me: {question}"],
                "--background-request does nothing in mode receiver", nil
            ),
            (["--mode", "receiver", "--include-response"], "--include-response does nothing in mode receiver", nil),
        ])
    func withoutEffect(_ option: [String], _ remark: String, _ other: [String]?) throws {
        let base = ["generate", "What does Erik Drusk work as?", "--max-new-tokens", "4"]
        let outcome = try Program.run(base + option)
        #expect(outcome.status == 0 && outcome.errors.contains(remark), "\(outcome.errors)")
        guard let other else { return }
        let meant = try Program.run(base + option + other)
        #expect(meant.status == 0 && !meant.errors.contains("does nothing"), "\(meant.errors)")
    }

    @Test(
        "an evaluation's that do nothing",
        arguments: [
            (["--shots", "1"], "--shots does nothing without mode oracle", ["--modes", "oracle"]),
            (["--seed", "2"], "--seed does nothing without --shuffle", ["--modes", "receiver", "--shuffle"]),
            (["--background-tokens", "3"], "--background-tokens does nothing without mode text", ["--modes", "text"]),
            (
                ["--method", "logits", "--max-new-tokens", "3"], "--max-new-tokens does nothing with --method logits",
                ["--method", "generate", "--modes", "receiver"]
            ),
        ])
    func evaluation(_ option: [String], _ remark: String, _ other: [String]) throws {
        let folder = try TemporaryFolder()
        let question = #"{"question": "Is it?", "choices": ["yes", "no"], "answer": "A"}"#
        try "\(question)\n\(question)\n".write(toFile: folder.path("q.jsonl"), atomically: true, encoding: .utf8)
        let base = ["eval", "--questions", folder.path("q.jsonl")]
        let outcome = try Program.run(base + ["--modes", "receiver"] + option)
        #expect(outcome.status == 0 && outcome.errors.contains(remark), "\(outcome.errors)")
        let meant = try Program.run(base + option.filter { $0 != "--method" && $0 != "logits" } + other)
        #expect(meant.status == 0 && !meant.errors.contains("does nothing"), "\(meant.errors)")
    }
}
