import Foundation
import Testing

/// Models whose logits are no numbers, as a user meets them.
@Suite(.serialized)
struct NotFiniteTests {
    private static let golden = "golden/qwen3_from_qwen2"

    /// A copy of one side of the pair with a NaN at the start of a weight.
    private func damaged(_ side: String, _ tensor: String, in folder: TemporaryFolder) throws -> String {
        let model = try folder.copy("\(Self.golden)/\(side)")
        let file = URL(filePath: model).appending(path: "model.safetensors")
        var bytes = try Data(contentsOf: file)
        let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try #require(
            try JSONSerialization.jsonObject(with: bytes[8..<8 + length]) as? [String: [String: Any]])
        let entry = try #require(header[tensor])
        let start = 8 + length + (try #require((entry["data_offsets"] as? [Int])?.first))
        // NaN in float16 and bfloat16 alike.
        let pattern: [UInt8] = entry["dtype"] as? String == "F32" ? [0, 0, 0xc0, 0x7f] : [0xff, 0x7f]
        bytes.replaceSubrange(start..<start + pattern.count, with: pattern)
        try bytes.write(to: file)
        return model
    }

    private let newTokens = ["--max-new-tokens", "3", "--ignore-eos"]

    /// One line that names the tensor, and exit code 2.
    private func expectNamed(
        _ arguments: [String], _ words: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let outcome = try Program.run(arguments)
        #expect(outcome.status == 2, "\(outcome.errors)", sourceLocation: sourceLocation)
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)", sourceLocation: sourceLocation)
        for word in words {
            #expect(outcome.errors.contains(word), "\(outcome.errors)", sourceLocation: sourceLocation)
        }
    }

    @Test("answers name the model, the layer and the tensor", arguments: ["0", "cpu"])
    func answers(_ device: String) throws {
        let folder = try TemporaryFolder()
        let tensor = "model.layers.1.mlp.down_proj.weight"
        let model = try damaged("receiver", tensor, in: folder)
        let words = ["receiver", "layer 1", tensor, "NaN"]
        let base = ["--receiver", model, "--device", device]
        try expectNamed(["generate", "hello"] + base + newTokens, words)
        try expectNamed(["generate", "hello", "--temperature", "0.7", "--json"] + base + newTokens, words)
        try expectNamed(["bench", "-p", "4", "-n", "2", "-r", "1"] + base, words)
    }

    @Test("a sharer's weights are named where they are fused, and where it writes for text-to-text")
    func sharers() throws {
        let folder = try TemporaryFolder()
        let tensor = "model.layers.0.self_attn.k_proj.weight"
        let pair = [
            "--receiver", Program.fixture("\(Self.golden)/receiver"), "--sharer",
            try damaged("sharer", tensor, in: folder), "--fuser", Program.fixture("\(Self.golden)/fuser"),
        ]
        for mode in ["c2c", "text", "sharer"] {
            try expectNamed(["generate", "hello", "--mode", mode] + pair + newTokens, ["sharer", "layer 0", "_proj"])
        }
        let questions = folder.path("q.jsonl")
        try #"{"question": "What barks?", "choices": ["cat", "dog"], "answer": 1}"#
            .write(toFile: questions, atomically: true, encoding: .utf8)
        try expectNamed(
            ["eval", "--questions", questions, "--modes", "c2c", "--max-new-tokens", "2"] + pair,
            ["question", "c2c", "sharer", "layer 0"])
        try expectNamed(
            ["eval", "--questions", questions, "--modes", "c2c", "--method", "logits"] + pair, ["sharer", "layer 0"])
    }

    @Test("verify never passes, and says so in JSON too", arguments: ["f16", "f32"])
    func verify(_ type: String) throws {
        let folder = try TemporaryFolder()
        let tensor = "model.layers.1.mlp.down_proj.weight"
        let model = try damaged("receiver", tensor, in: folder)
        let base = ["verify", "--receiver", model, "--kv-dtype", type, "--max-new-tokens", "2"]
        let text = try Program.run(base)
        #expect(text.status == 1 && text.errors.contains(tensor), "\(text.errors)")
        let json = try Program.run(base + ["--json"])
        #expect(json.status == 1)
        let report = try json.json()
        #expect(report["passed"] as? Bool == false)
        let tensors = try #require(report["tensors"] as? [[String: Any]])
        let logits = try #require(tensors.first { $0["name"] as? String == "receiver_alone.logits" })
        #expect(try #require(logits["not_finite"] as? Int) > 0)
    }
}
