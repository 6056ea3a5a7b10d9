import Foundation
import Testing

@Suite(.serialized)
struct BenchTests {
    private static let golden = "golden/qwen3_from_qwen2"

    private func bench(_ arguments: [String], _ models: [String] = Program.pair(Self.golden)) throws -> [String: Any] {
        let outcome = try Program.run(["bench", "--json", "-r", "1"] + arguments + models)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try outcome.json()
    }

    private func rows(_ report: [String: Any]) throws -> [[String: Any]] {
        try #require(report["rows"] as? [[String: Any]])
    }

    private func tests(_ report: [String: Any]) throws -> [String] {
        try rows(report).compactMap { $0["test"] as? String }
    }

    @Test("a pair's rows", arguments: ["0", "cpu"])
    func pair(_ device: String) throws {
        let report = try bench(["-p", "9", "-n", "2", "--device", device])
        #expect(
            try tests(report) == [
                "pp9", "tg2", "sharer pp8", "receiver pp9", "fusion8", "c2c ttft9", "c2c tg2",
            ])
        for row in try rows(report) {
            #expect(row["tokens_per_s"] as? Double ?? 0 > 0 && row["prompt_tokens"] as? Int == 9)
            #expect(row["least_bytes"] as? Int ?? 0 > 0 && row["least_flops"] as? Int ?? 0 > 0)
            #expect(row["bandwidth_share"] == nil)
        }
        let ratios = try #require(report["ratios"] as? [[String: Any]])
        #expect(ratios.count == 1 && ratios[0]["c2c_to_receiver"] as? Double ?? 0 > 0)
    }

    @Test("lists of lengths, and text-to-text")
    func lists() throws {
        let report = try bench(["-p", "4,9", "-n", "0", "--sharer-tokens", "3"])
        let expected = [4, 9].flatMap { count in
            ["pp\(count)", "sharer pp\(count - 1)", "receiver pp\(count)", "fusion\(count - 1)", "c2c ttft\(count)"]
                + ["text ttft\(count)+3"]
        }
        #expect(try tests(report) == expected)
        let ratios = try #require(report["ratios"] as? [[String: Any]])
        #expect(ratios.map { $0["prompt_tokens"] as? Int } == [4, 9])
        #expect(ratios.allSatisfy { $0["text_to_c2c"] as? Double ?? 0 > 0 })
        let decodes = try bench(
            ["-p", "4,9", "-n", "1,2", "--receiver", Program.fixture("\(Self.golden)/receiver")], [])
        #expect(
            try tests(decodes) == ["pp4", "tg1 @ d4", "tg2 @ d4", "pp9", "tg1 @ d9", "tg2 @ d9"])
    }

    @Test("several sharers count as one row")
    func sharers() throws {
        let models = ["--receiver", Program.fixture("golden/two_sharers/receiver")]
        let sharers = [0, 1].flatMap { index in
            [
                "--sharer", Program.fixture("golden/two_sharers/sharer\(index)"), "--fuser",
                Program.fixture("golden/two_sharers/fuser\(index)"),
            ]
        }
        let report = try bench(["-p", "5", "-n", "0"], models + sharers)
        #expect(try tests(report).contains("2 sharers pp4"))
        #expect(try rows(report).first { $0["test"] as? String == "2 sharers pp4" }?["tokens"] as? Int == 8)
    }

    @Test("memory adds up")
    func memory() throws {
        let report = try bench(["-p", "9", "-n", "2", "--text-to-text", "--sharer-tokens", "2"])
        let memory = try #require(report["memory"] as? [String: Int])
        let parts = ["weights_bytes", "kv_cache_bytes", "scratch_bytes", "other_bytes"].map { memory[$0] ?? 0 }
        #expect(parts.allSatisfy { $0 > 0 })
        let (sum, peak) = (parts.reduce(0, +), memory["peak_device_bytes"] ?? 0)
        #expect(sum <= peak && peak <= sum + sum / 10)
        #expect(memory["reserved_device_bytes"] ?? 0 >= sum)
        #expect(memory["peak_process_bytes"] ?? 0 >= peak)
    }

    @Test("what the device can do, alone and beside rows")
    func limits() throws {
        let limits = try Program.run(["bench", "--device-limits"])
        #expect(limits.output.contains("GB/s") && limits.output.contains("GFLOP/s"))
        let report = try bench(["--device-limits", "-p", "4", "-n", "1"])
        let measured = try #require(report["device_limits"] as? [String: Any])
        #expect(measured["copy_bytes_per_s"] as? Double ?? 0 > 0 && measured["flops_per_s"] as? Double ?? 0 > 0)
        for row in try rows(report) {
            #expect(row["bandwidth_share"] as? Double ?? 0 > 0)
            #expect(row["arithmetic_share"] as? Double ?? 0 > 0)
        }
    }
}
