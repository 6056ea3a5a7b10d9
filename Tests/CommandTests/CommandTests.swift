import Foundation
import Testing

@Suite(.serialized)
struct CommandTests {
    private static let golden = "golden/qwen3_from_qwen2"

    private func promptIDs(_ name: String) throws -> (ids: String, tokens: [Int], alone: [Int]) {
        let data = try Data(contentsOf: Program.fixtures.appending(path: "\(name)/case.json"))
        let file = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let ids = try #require(file["prompt_ids"] as? [Int])
        return (
            ids.map(String.init).joined(separator: " "), try #require(file["tokens"] as? [Int]),
            try #require(file["receiver_alone_tokens"] as? [Int])
        )
    }

    @Test("devices lists what there is")
    func devices() throws {
        let table = try Program.run(["devices"])
        #expect(table.status == 0 && table.output.contains("index") && table.errors.isEmpty)
        let list = try Program.run(["devices", "--json"])
        let rows = try #require(
            try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [[String: Any]])
        #expect(rows.first?["index"] as? Int == 0)
        #expect(rows.contains { $0["usable"] as? Bool == true })
        #expect(rows.allSatisfy { $0["matrix_units"] is String })
    }

    @Test("generate --json has the contract's fields, and the reference's tokens", arguments: ["0", "cpu"])
    func generate(_ device: String) throws {
        let (ids, tokens, _) = try promptIDs(Self.golden)
        let outcome = try Program.run(
            ["generate"] + Program.pair(Self.golden) + [
                "--prompt-ids", ids, "--max-new-tokens", "24", "--ignore-eos", "--kv-dtype", "f32", "--json",
                "--device",
                device,
            ])
        #expect(outcome.status == 0)
        let report = try outcome.json()
        #expect(report["tokens"] as? [Int] == tokens)
        #expect(report["mode"] as? String == "c2c" && report["finish_reason"] as? String == "length")
        let timings = try #require(report["timings"] as? [String: Double])
        #expect(
            Set(timings.keys) == [
                "load_s", "sharer_prefill_s", "receiver_prefill_s", "fusion_s", "ttft_s", "decode_s",
                "decode_tokens_per_s",
            ])
        #expect(timings.values.allSatisfy { $0 > 0 })
        let memory = try #require(report["memory"] as? [String: Int])
        #expect(Set(memory.keys) == ["weights_bytes", "kv_cache_bytes", "peak_device_bytes"])
        let chosen = try #require(report["device"] as? [String: Any])
        #expect(device == "cpu" ? chosen["index"] is NSNull : chosen["index"] as? Int == 0)
    }

    @Test(
        "generate's times add up, and the time of making kernels is told apart", arguments: ["c2c", "text", "sharer"])
    func timeline(_ mode: String) throws {
        for device in ["0", "cpu"] {
            let report = try Program.run(
                ["generate", "--json", "--device", device, "--mode", mode, "What does Erik Drusk work as?"]
            ).json()
            let parts = try #require(report["timeline"] as? [String: Double])
            let total = try #require(parts["total_s"])
            let sum = parts.filter { $0.key != "total_s" }.values.reduce(0, +)
            #expect(parts.count == 8 && abs(sum - total) < 1e-6, "\(parts)")
            #expect(parts.values.allSatisfy { $0 >= 0 }, "\(parts)")
            // Only a device has kernels to make.
            #expect((parts["kernels_s"] ?? 0 > 0) == (device == "0"), "\(parts)")
            let timings = try #require(report["timings"] as? [String: Double])
            #expect(parts["load_s"] == timings["load_s"])
            if mode != "text" {
                let first = ["kernels_s", "plans_s", "prompt_s"].reduce(0) { $0 + (parts[$1] ?? 0) }
                #expect(abs(first - (timings["ttft_s"] ?? 0)) < 1e-6, "\(parts)")
            }
        }
        let people = try Program.run(["generate", "--mode", mode, "What does Erik Drusk work as?"]).errors
        #expect(people.contains("s in all: opening ") && people.contains(", kernels "))
    }

    @Test("f16 caches give the same tokens where the margins are wide")
    func halfCaches() throws {
        let (ids, tokens, _) = try promptIDs(Self.golden)
        let outcome = try Program.run(
            ["generate"] + Program.pair(Self.golden) + [
                "--prompt-ids", ids, "--max-new-tokens", "24", "--ignore-eos", "--json", "--kv-dtype", "f16",
            ])
        #expect(try outcome.json()["tokens"] as? [Int] == tokens)
    }

    @Test("receiver and sharer mode answer alone")
    func alone() throws {
        let (ids, _, alone) = try promptIDs(Self.golden)
        let base =
            ["generate"] + Program.pair(Self.golden)
            + ["--prompt-ids", ids, "--max-new-tokens", "24", "--ignore-eos", "--json", "--kv-dtype", "f32"]
        let receiver = try Program.run(base + ["--mode", "receiver"]).json()
        #expect(receiver["tokens"] as? [Int] == alone && receiver["mode"] as? String == "receiver")
        let sharer = try Program.run(base + ["--mode", "sharer"]).json()
        #expect((sharer["tokens"] as? [Int])?.count == 24 && sharer["tokens"] as? [Int] != alone)
    }

    @Test("two runs write the same bytes")
    func deterministic() throws {
        let folder = try TemporaryFolder()
        let (ids, _, _) = try promptIDs(Self.golden)
        let dumps = try ["a", "b"].map { name in
            let outcome = try Program.run(
                ["generate"] + Program.pair(Self.golden) + [
                    "--prompt-ids", ids, "--max-new-tokens", "3", "--ignore-eos", "--dump", folder.path(name),
                ])
            #expect(outcome.status == 0)
            return try Data(contentsOf: URL(filePath: folder.path(name)))
        }
        #expect(dumps[0] == dumps[1] && dumps[0].count > 100_000)
    }

    @Test("sections are taken as given")
    func sections() throws {
        let (ids, tokens, _) = try promptIDs("golden/sections")
        let outcome = try Program.run(
            ["generate"] + Program.pair("golden/sections") + [
                "--prompt-ids", ids, "--sections", "17:1,13:-1,22:1,1:-1", "--max-new-tokens", "24", "--ignore-eos",
                "--json", "--kv-dtype", "f32",
            ])
        #expect(try outcome.json()["tokens"] as? [Int] == tokens)
    }

    @Test("text streams to standard output, timings to standard error")
    func raw() throws {
        let question = "Tell me what Ada Abrel works as."
        let prompt = "<|im_start|>user\n\(question)<|im_end|>\n<|im_start|>assistant\n"
        let outcome = try Program.run(["generate", "--raw", prompt])
        #expect(outcome.output.contains("works as a") && outcome.errors.contains("tokens/s"))
        // What the template makes of the question.
        #expect(try Program.run(["generate", question]).output == outcome.output)
        let profiled = try Program.run(["generate", "--profile", "--raw", prompt])
        #expect(profiled.errors.contains("GFLOP/s") && profiled.errors.contains("linear"))
    }

    @Test("a one-token prompt is answered by the receiver alone")
    func oneToken() throws {
        let base = ["--prompt-ids", "5", "--max-new-tokens", "4", "--ignore-eos", "--json"]
        let fused = try Program.run(["generate"] + Program.pair(Self.golden) + base).json()
        let alone = try Program.run(
            ["generate", "--mode", "receiver"] + Program.pair(Self.golden) + base
        ).json()
        #expect((fused["tokens"] as? [Int])?.count == 4)
        #expect(fused["tokens"] as? [Int] == alone["tokens"] as? [Int])
    }

    @Test("verify holds, and says so")
    func verify() throws {
        let outcome = try Program.run(["verify", "--kv-dtype", "f32"] + Program.pair(Self.golden))
        #expect(outcome.status == 0 && outcome.output.contains("fused.key.4"))
        let json = try Program.run(["verify", "--json"] + Program.pair("golden/llama_pair")).json()
        #expect(json["passed"] as? Bool == true)
        // The embedded pair, with rounded caches.
        #expect(try Program.run(["verify"]).status == 0)
    }

    @Test("verify says what quantized weights cost in logits; the exit code is about the device")
    func quantizationCost() throws {
        let outcome = try Program.run(["verify", "--weights", "q4_0", "--json"] + Program.pair("golden/llama_pair"))
        #expect(outcome.status == 0)
        let report = try outcome.json()
        #expect(report["passed"] as? Bool == true)
        let cost = try #require(report["quantization"] as? [String: Any])
        #expect(cost["weights"] as? String == "q4_0")
        let rows = try #require(cost["logits"] as? [[String: Any]])
        #expect(
            rows.map { $0["name"] as? String } == [
                "receiver_alone.logits", "receiver_alone.step_logits", "c2c.step_logits",
            ])
        #expect(rows[0]["positions"] as? Int == 33)
        for row in rows {
            let divergence = try #require(row["mean_kl_divergence"] as? Double)
            let share = try #require(row["same_top1"] as? Double)
            // Something is lost, but far from all: the logits of different tokens differ by more than one.
            #expect(divergence > 0 && divergence < 1 && (0...1).contains(share))
            let relative = try #require(row["relative"] as? Double)
            #expect(relative > 1e-4)
        }
        let eight = try Program.run(["verify", "--weights", "q8_0"] + Program.pair("golden/llama_pair"))
        #expect(eight.status == 0 && eight.output.contains("mean KL divergence"))
    }

    @Test(
        "quantized weights and caches: the same tokens on device and CPU",
        arguments: [["--weights", "q8_0"], ["--weights", "q4_0"], ["--kv-dtype", "q8_0"]])
    func quantized(_ flags: [String]) throws {
        let plain = try Program.run(["generate", "--json", "Tell me what Ada Abrel works as."]).json()
        let answers = try ["0", "cpu"].map { device in
            let outcome = try Program.run(
                ["generate", "--json", "--device", device, "Tell me what Ada Abrel works as."] + flags)
            #expect(outcome.status == 0)
            return try outcome.json()
        }
        let tokens = try #require(answers[0]["tokens"] as? [Int])
        #expect(tokens.count > 3 && answers[1]["tokens"] as? [Int] == tokens)
        let name = flags[0] == "--weights" ? "weights_bytes" : "kv_cache_bytes"
        let bytes = try (answers + [plain]).map { answer in
            try #require((answer["memory"] as? [String: Any])?[name] as? Int)
        }
        #expect(bytes[0] == bytes[1] && bytes[0] < bytes[2] * 4 / 5)
    }

    @Test("a q8_0 cache that the heads don't fit is an error that says so")
    func unfitCache() throws {
        let outcome = try Program.run(
            ["generate", "--kv-dtype", "q8_0", "--prompt-ids", "1 2 3"] + Program.pair(Self.golden))
        #expect(outcome.status == 2 && outcome.errors.contains("multiple of 32; use --kv-dtype f16"))
    }

    @Test("inspect tells models from fusers")
    func inspect() throws {
        let model = try Program.run(["inspect", "--json", Program.fixture("\(Self.golden)/receiver")]).json()
        #expect(model["family"] as? String == "qwen3" && model["parameters"] as? Int == 243_712)
        let fuser = try Program.run(["inspect", "--json", Program.fixture("\(Self.golden)/fuser")]).json()
        #expect(fuser["open_projections"] as? Int == 7 && fuser["projections"] as? Int == 10)
        #expect(try Program.run(["inspect", Program.fixture("\(Self.golden)/fuser")]).output.contains("closed"))
    }

    @Test("inspect says what a user asks of a model: family, sizes, context, tokenizer, template")
    func inspectModel() throws {
        let model = try Program.run(["inspect", Program.embedded("receiver")]).output
        for words in [
            "qwen3", "layers", "KV heads", "context", "tokenizer", "chat template", "sampling in chat", "weights",
        ] { #expect(model.contains(words), "\(words)") }
        let report = try Program.run(["inspect", "--json", Program.embedded("receiver")]).json()
        #expect(report["chat_template"] as? Bool == true && report["tokenizer_tokens"] as? Int ?? 0 > 1000)
        let folder = try TemporaryFolder()
        let copy = try folder.copy("\(Self.golden)/receiver")
        try FileManager.default.removeItem(atPath: "\(copy)/tokenizer.json")
        let bare = try Program.run(["inspect", copy])
        #expect(bare.status == 0 && bare.output.contains("--prompt-ids"))
    }

    @Test("inspect says of a fuser which models it is for, how it was trained, and where it is open")
    func inspectFuser() throws {
        let folder = try TemporaryFolder()
        let fuser = try folder.copy("\(Self.golden)/fuser")
        let config = """
            {"model": {"base_model": "Qwen/Qwen3-0.6B", "teacher_model": "Qwen/Qwen2.5-0.5B-Instruct",
             "is_do_alignment": true, "alignment_strategy": "longest", "mapping": "last_aligned"},
             "training": {"num_epochs": 1, "learning_rate": 1e-4, "max_length": 2048},
             "data": {"type": "OpenHermesChatDataset", "kwargs": {"num_samples": 500000}}}
            """
        try Data(config.utf8).write(to: URL(filePath: "\(fuser)/config.json"))
        let text = try Program.run(["inspect", fuser]).output
        for words in [
            "receiver: 'Qwen/Qwen3-0.6B'", "sharer: 'Qwen/Qwen2.5-0.5B-Instruct'", "C2CProjector",
            "500000 samples of 'OpenHermesChatDataset', 1 epoch, learning rate 0.0001, at most 2048 tokens",
            "layers mapped 'last_aligned', tokens aligned, longest", "7 of 10 gates open", "keys are fused in layers",
        ] { #expect(text.contains(words), "\(text)") }
        let report = try Program.run(["inspect", "--json", fuser]).json()
        #expect(report["receiver_model"] as? String == "Qwen/Qwen3-0.6B" && report["alignment"] as? String == "longest")
        #expect((report["training"] as? [String: Any])?["samples"] as? Int == 500_000)
        // Odd values of what only people read are left out.
        let odd = """
            {"model": {"base_model": "a\\u001b[31mb"}, "training": {"num_epochs": "many", "steps": -1},
             "data": {"type": 7, "kwargs": []}}
            """
        try Data(odd.utf8).write(to: URL(filePath: "\(fuser)/config.json"))
        let outcome = try Program.run(["inspect", fuser])
        #expect(outcome.status == 0 && !outcome.output.contains("\u{1b}") && !outcome.output.contains("many"))
    }
}
