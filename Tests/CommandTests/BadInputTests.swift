import Foundation
import Testing

/// What is wrong with a call ends in one line on standard error and the exit code for it: never in a trace.
@Suite(.serialized)
struct BadInputTests {
    private static let golden = "golden/qwen3_from_qwen2"

    @Test("requests that can't be met")
    func requests() throws {
        let pair = Program.pair(Self.golden)
        try Program.expectFailure(["generate", "--prompt-ids", ""] + pair, says: ["empty"])
        try Program.expectFailure(["generate", "--raw", ""] + pair, says: ["empty"])
        try Program.expectFailure(["generate", "--prompt-ids", "1 x"] + pair, says: ["\"x\"", "--prompt-ids"])
        try Program.expectFailure(["generate", "--prompt-ids", "1 432"] + pair, says: ["432", "vocabulary"])
        try Program.expectFailure(["generate", "--prompt-ids", "1 -3"] + pair, says: ["-3", "vocabulary"])
        try Program.expectFailure(["generate", "--prompt-ids", "99999999999999999999"] + pair, says: ["no token id"])
        let long = Array(repeating: "1", count: 2049).joined(separator: " ")
        try Program.expectFailure(
            ["generate", "--prompt-ids", long] + pair, says: ["1 more than the context of 2048", "made for no more"])
        try Program.expectFailure(
            ["generate", "--prompt-ids", "1 2 3", "--context", "2"] + pair, says: ["1 more", "--context"])
        try Program.expectFailure(
            ["generate", "--prompt-ids", "1", "--context", "9999"] + pair, says: ["9999", "2048"])
        try Program.expectFailure(
            ["generate", "--prompt-ids", "1", "--max-new-tokens", "0"] + pair, says: ["at least 1"])
        try Program.expectFailure(["generate"] + pair, says: ["--prompt-ids"])
        try Program.expectFailure(["generate", "hello", "--raw", "--mode", "text"] + pair, says: ["--raw", "text"])
    }

    @Test("a file's text in an error is one printable line")
    func unprintable() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "escapes-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let config = folder.appending(path: "config.json")
        try Data(#"{"model_type":"\u001b[2J\u0007red\nline"}"#.utf8).write(to: config)
        try Program.expectFailure(["inspect", folder.path], says: ["\\u{1b}[2J\\u{7}red line"])
        try Data(#"{"model_type":"\#(String(repeating: "x", count: 1_000_000))"}"#.utf8).write(to: config)
        let outcome = try Program.run(["inspect", folder.path])
        #expect(outcome.status == 2 && outcome.errors.utf8.count < 5000)
    }

    @Test("sections that don't fit")
    func sections() throws {
        let base = ["generate", "--prompt-ids", "1 2 3 4"] + Program.pair(Self.golden) + ["--sections"]
        try Program.expectFailure(base + ["2:1,1:-1"], says: ["3 tokens in all", "has 4"])
        try Program.expectFailure(base + ["3:2,1:-1"], says: ["mask 2", "isn't there"])
        try Program.expectFailure(base + ["3:0,1:-1"], says: ["mask 0"])
        try Program.expectFailure(base + ["3:-2,1:-1"], says: ["mask -2"])
        try Program.expectFailure(base + ["0:1,4:-1"], says: ["length 0"])
        try Program.expectFailure(base + ["3,1"], says: ["length:mask"])
        try Program.expectFailure(base + ["9223372036854775807:1,1:-1"], says: ["length"])
    }

    @Test("flags that don't go together")
    func flags() throws {
        try Program.expectFailure(["generate", "--prompt-ids", "1", "--fuser", "a"], says: ["--receiver"])
        try Program.expectFailure(["generate", "--prompt-ids", "1", "--kv-dtype", "f8"], says: ["f8"])
        try Program.expectFailure(
            ["generate", "--prompt-ids", "1", "--receiver", "a", "--sharer", "b"], says: ["one fuser for each sharer"])
        try Program.expectFailure(["generate", "x", "--temperature", "-1"], says: ["temperature", "-1"])
        try Program.expectFailure(["generate", "x", "--max-new-tokens", "-1"], says: ["--max-new-tokens is -1"])
        let missing = try TemporaryFolder.missingPath()
        try Program.expectFailure(["generate", "x", "--dump", missing], says: ["\(missing) can't be written"])
        try Program.expectFailure(["eval", "--report", missing], says: ["\(missing) can't be written"])
        try Program.expectFailure(["eval", "--modes", "c2c,c2c"], says: ["c2c twice"])
        try Program.expectFailure(["eval", "--modes", ""], says: ["no mode"])
        try Program.expectFailure(["nonsense"], says: ["nonsense"])
        try Program.expectFailure(["bench", "--synthetic", "gpt-9"], says: ["gpt-9", "qwen3-0.6b"])
        for list in ["", "1", "8,", "8,x", "-4", "99999999999999999999"] {
            try Program.expectFailure(
                ["bench", "--prompt-tokens=\(list)"], says: [list == "1" ? "at least 2" : "prompt-tokens"])
        }
        try Program.expectFailure(["bench", "-n", "4,-1"], says: ["-n"])
        try Program.expectFailure(["bench", "--sharer-tokens", "0"], says: ["1 token of the sharer"])
        try Program.expectFailure(["bench", "--gates", "0.5"], says: ["--synthetic-sharer"])
        let synthetic = ["bench", "--synthetic", "qwen3-0.6b", "--synthetic-sharer", "qwen2.5-0.5b"]
        try Program.expectFailure(synthetic + ["--gates", "1.5"], says: ["1.5", "0 to 1"])
        try Program.expectFailure(synthetic + ["--gates", "nan"], says: ["nan", "0 to 1"])
        try Program.expectFailure(["bench", "--synthetic-sharer", "qwen2.5-0.5b"], says: ["--synthetic PRESET"])
        try Program.expectFailure(
            ["bench", "--text-to-text", "-p", "4", "--receiver", Program.fixture("\(Self.golden)/receiver")],
            says: ["text-to-text", "--sharer DIR"])
        try Program.expectFailure(["bench", "--device-limits", "--device", "cpu"], says: ["--device N"])
        let help = try Program.run(["generate", "--help"])
        #expect(help.status == 0 && help.output.contains("--sections"))
    }

    @Test("devices that aren't there")
    func devices() throws {
        let base = ["generate", "--prompt-ids", "1"] + Program.pair(Self.golden)
        try Program.expectFailure(base + ["--device", "99"], status: 3, says: ["device 99", "there are"])
        try Program.expectFailure(base + ["--device", "-1"], status: 3, says: ["device -1"])
        try Program.expectFailure(base + ["--device", "gpu"], says: ["gpu", "c2c-vk devices"])
        try Program.expectFailure(base, status: 3, says: ["device 7"], environment: ["C2C_VK_DEVICE": "7"])
        try Program.expectFailure(base, says: ["C2C_VK_DEVICE", "gpu"], environment: ["C2C_VK_DEVICE": "gpu"])
        let missing = try TemporaryFolder.missingPath()
        let noDriver = ["VK_ICD_FILENAMES": missing, "VK_DRIVER_FILES": missing]
        try Program.expectFailure(
            base, status: 3, says: ["no Vulkan driver", "mesa-vulkan-drivers"], environment: noDriver)
        try Program.expectFailure(["devices"], status: 3, says: ["no Vulkan driver"], environment: noDriver)
    }

    @Test("a model that is too large for the device")
    func memory() throws {
        try Program.expectFailure(
            ["bench", "--synthetic", "qwen3-8b", "--weights", "f32", "--device", "0"], status: 3,
            says: ["receiver.embedding", "GiB"])
    }

    @Test("directories that hold no model")
    func directories() throws {
        let folder = try TemporaryFolder()
        let base = ["generate", "--prompt-ids", "1", "--receiver"]
        try Program.expectFailure(base + [folder.path("missing")], says: [folder.path("missing")])
        try Program.expectFailure(base + [folder.url.path], says: ["config.json"])
        try Program.expectFailure(["inspect", folder.url.path], says: ["config.json"])
        // A fuser is no model, and the other way round.
        try Program.expectFailure(base + [Program.fixture("\(Self.golden)/fuser")], says: ["fuser's directory"])
        try Program.expectFailure(
            base + [
                Program.fixture("\(Self.golden)/receiver"), "--sharer", Program.fixture("\(Self.golden)/sharer"),
                "--fuser", Program.fixture("\(Self.golden)/sharer"),
            ], says: ["projector_config.json"])
    }

    @Test("damaged and unsupported models")
    func models() throws {
        let folder = try TemporaryFolder()
        let model = try folder.copy("\(Self.golden)/receiver")
        let config = URL(filePath: model).appending(path: "config.json")
        let original = try String(contentsOf: config, encoding: .utf8)
        let base = ["generate", "--prompt-ids", "1", "--receiver", model]
        func expect(_ field: String, _ replacement: String, says words: [String]) throws {
            try original.replacingOccurrences(of: field, with: replacement)
                .write(to: config, atomically: true, encoding: .utf8)
            try Program.expectFailure(base, says: words)
        }
        try expect("\"model_type\": \"qwen3\"", "\"model_type\": \"mamba\"", says: ["mamba", "qwen3"])
        try expect("\"hidden_size\": 64,", "", says: ["embed_tokens", "[432, 64]", "[432, 4096]"])
        try expect("\"hidden_size\": 64", "\"hidden_size\": 72", says: ["embed_tokens", "[432, 64]", "[432, 72]"])
        try expect("\"hidden_size\": 64", "\"hidden_size\": -64", says: ["hidden_size", "-64"])
        try expect("\"rope_scaling\": null", "\"rope_scaling\": {\"rope_type\": \"spiral\"}", says: ["spiral", "yarn"])
        try expect(
            "\"rope_scaling\": null", "\"rope_scaling\": {\"rope_type\": \"yarn\"}",
            says: ["rope_scaling.factor is missing"])
        try expect("\"num_hidden_layers\": 5", "\"num_hidden_layers\": 6", says: ["layers.5"])
        try original.write(to: config, atomically: true, encoding: .utf8)

        let weights = URL(filePath: model).appending(path: "model.safetensors")
        let bytes = try Data(contentsOf: weights)
        for count in [0, 7, 100, bytes.count / 2, bytes.count - 1] {
            try bytes.prefix(count).write(to: weights)
            try Program.expectFailure(base, says: ["model.safetensors"])
        }
    }

    @Test("fusers that are damaged, unsafe or for another pair")
    func fusers() throws {
        let folder = try TemporaryFolder()
        let fuser = try folder.copy("\(Self.golden)/fuser")
        let models = [
            "generate", "--prompt-ids", "1 2", "--receiver", Program.fixture("\(Self.golden)/receiver"), "--sharer",
            Program.fixture("\(Self.golden)/sharer"), "--fuser",
        ]
        try Program.expectFailure(
            models + [Program.fixture("golden/llama_pair/fuser")], says: ["made for", "another pair"])
        let projector = URL(filePath: fuser).appending(path: "final/projector_2.pt")
        let bytes = try Data(contentsOf: projector)
        try bytes.prefix(bytes.count / 2).write(to: projector)
        try Program.expectFailure(models + [fuser], says: ["projector_2.pt"])
        // The pickle's allowed class becomes one that would run a command.
        var unsafe = bytes
        while let range = unsafe.range(of: Data("collections\nOrderedDict\n".utf8)) {
            unsafe.replaceSubrange(range, with: Data("posixxxxxxx\nsystemdicti\n".utf8))
        }
        try unsafe.write(to: projector)
        try Program.expectFailure(models + [fuser], says: ["projector_2.pt"])
        try bytes.write(to: projector)
        try FileManager.default.removeItem(at: URL(filePath: fuser).appending(path: "final/projector_3.pt"))
        try Program.expectFailure(models + [fuser], says: ["projector_3.pt"])
    }

    @Test("a dump that can't be written leaves nothing behind")
    func dump() throws {
        let folder = try TemporaryFolder()
        let base =
            ["generate", "--prompt-ids", "1 2", "--max-new-tokens", "1"] + Program.pair(Self.golden) + ["--json"]
        let target = folder.path("missing/file.safetensors")
        let outcome = try Program.run(base + ["--dump", target])
        #expect(outcome.status == 2 && outcome.errors.contains("missing") && outcome.output.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
    }
}
