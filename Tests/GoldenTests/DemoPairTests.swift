import Foundation
import Inference
import ModelLoading
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
                as: "receiver", extent: .full(receiverFiles.description), on: backend)
            let sharer = Sharer(
                decoder: try sharerFiles.load(
                    as: "sharer", extent: .cacheOnly(layerCount: fuserFiles.description.sharerLayerCount),
                    on: backend),
                fuser: try fuserFiles.load(as: "fuser", on: backend))
            for (sharers, mode) in [([sharer], "c2c"), ([], "receiver")] {
                let session = try Session(
                    on: backend, receiver: receiver, sharers: sharers, capacity: 256, cacheType: .f32)
                for sample in samples {
                    let prompt = "<|im_start|>user\n\(sample.question)<|im_end|>\n<|im_start|>assistant\n"
                    let ids = try tokenizer.encode(prompt, addSpecialTokens: false)
                    let result = try session.generate(
                        Prompt(
                            ids, sections: Section.defaults(promptLength: ids.count, sharerCount: sharers.count)),
                        maxNewTokens: 64, endTokens: receiverFiles.endTokens)
                    #expect(result.tokens == sample.tokens[mode], "\(mode): \(sample.question)")
                }
            }
        }
    }
}
