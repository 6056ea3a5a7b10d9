import DemoPair
import Foundation
import Inference
import ModelLoading
import Synchronization
import Testing
import Tokenization

/// The trained pair that the program embeds: words, not random weights. Its training tool computed the tokens with an
/// implementation of its own, in PyTorch.
@Suite(.serialized)
struct DemoPairTests {
    private struct Results: Decodable {
        struct Sample: Decodable {
            var question: String
            var tokens: [String: [Int]]
        }

        var samples: [Sample]
    }

    @Test("answers with the training tool's tokens", arguments: [TestBackend.vulkan, .reference])
    func answers(_ kind: TestBackend) throws {
        let shares = try agreeingShares(kind, weightType: nil, cacheType: .f32)
        #expect(shares == ["c2c": 1, "receiver": 1])
    }

    /// Logits move by some hundredths with 8 bits and some tenths with 4. Facts that come through the cache have wider margins;
    /// what the receiver alone answers is guessed, so near ties change there.
    @Test(
        "quantized weights and caches keep the answers",
        arguments: [
            (TestBackend.vulkan, ElementType?.some(.q8_0), ElementType.f32), (.reference, .q8_0, .f32),
            (.vulkan, nil, .q8_0), (.vulkan, .q8_0, .q8_0), (.vulkan, .q4_0, .f16),
        ])
    func quantized(_ kind: TestBackend, _ weightType: ElementType?, _ cacheType: ElementType) throws {
        let shares = try agreeingShares(kind, weightType: weightType, cacheType: cacheType)
        #expect(try #require(shares["c2c"]) >= 0.95)
        if weightType != .q4_0 { #expect(try #require(shares["receiver"]) >= 0.95) }
    }

    /// The share of answers that have the training tool's tokens, by mode.
    private func agreeingShares(
        _ kind: TestBackend, weightType: ElementType?, cacheType: ElementType
    ) throws -> [String: Double] {
        var shares: [String: Double] = [:]
        let folder = GoldenCase.fixtures.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources/DemoPair/Resources")
        let samples = try JSONDecoder().decode(
            Results.self, from: Data(contentsOf: folder.appending(path: "results.json"))
        ).samples
        #expect(samples.count >= 20)
        let tokenizer = try Tokenizer(directory: folder.appending(path: "receiver"))
        let receiverFiles = try ModelDirectory(folder.appending(path: "receiver").path)
        let sharerFiles = try ModelDirectory(folder.appending(path: "sharer").path)
        let fuserFiles = try FuserCheckpoint(folder.appending(path: "fuser").path)
        try kind.run { backend in
            let receiver = try receiverFiles.load(
                as: "receiver", extent: .full(receiverFiles.description), weightType: weightType, on: backend)
            let sharer = Sharer(
                decoder: try sharerFiles.load(
                    as: "sharer", extent: .cacheOnly(layerCount: fuserFiles.description.sharerLayerCount),
                    weightType: weightType, on: backend),
                fuser: try fuserFiles.load(as: "fuser", weightType: weightType, on: backend))
            for (sharers, mode) in [([sharer], "c2c"), ([], "receiver")] {
                let session = try Session(
                    on: backend, receiver: receiver, sharers: sharers, capacity: 256, cacheType: cacheType)
                for sample in samples {
                    let prompt = "<|im_start|>user\n\(sample.question)<|im_end|>\n<|im_start|>assistant\n"
                    let ids = try tokenizer.encode(prompt, addSpecialTokens: false)
                    let result = try session.generate(
                        Prompt(
                            ids, sections: Section.defaults(promptLength: ids.count, sharerCount: sharers.count)),
                        maxNewTokens: 64, endTokens: receiverFiles.endTokens)
                    if result.tokens == sample.tokens[mode] {
                        shares[mode, default: 0] += 1 / Double(samples.count)
                    } else {
                        print("\(mode), weights \(weightType.map(\.rawValue) ?? "as stored"): \(sample.question)")
                    }
                }
            }
        }
        // Sums of many parts of one.
        return shares.mapValues { ($0 * 1e6).rounded() / 1e6 }
    }

    @Test("programs that unpack at once don't take the files from under each other")
    func unpackedAtOnce() throws {
        let cache = FileManager.default.temporaryDirectory.appending(path: "demo-pair-test-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: cache) }
        let failures = Mutex<[String]>([])
        for round in 0..<12 {
            // A cleaner has been there.
            let known = try DemoPair(cache: cache)
            try FileManager.default.removeItem(at: known.questions)
            DispatchQueue.concurrentPerform(iterations: 6) { _ in
                do {
                    let pair = try DemoPair(cache: cache)
                    for _ in 0..<20 {
                        for file in [pair.receiver, pair.sharer].map({ $0.appending(path: "config.json") }) + [
                            pair.questions
                        ] {
                            _ = try Data(contentsOf: file)
                        }
                    }
                } catch {
                    failures.withLock { $0.append("round \(round): \(error)") }
                }
            }
        }
        #expect(failures.withLock { $0 } == [])
    }
}
