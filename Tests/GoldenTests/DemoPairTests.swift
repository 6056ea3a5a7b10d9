import Foundation
import Inference
import ModelLoading
import Testing
import Tokenization

/// The trained pair: words, not random weights.
@Suite(.serialized)
struct DemoPairTests {
    private struct Question: Decodable {
        var question: String
        var receiver: String
        var c2c: String
    }

    /// The whole file has 500; this many keep the test short on two cores.
    static let count = 40

    @Test("answers with the recorded text", arguments: [TestBackend.vulkan, .reference])
    func answers(_ kind: TestBackend) throws {
        let folder = GoldenCase.fixtures.appending(path: "demo-pair")
        let lines = try String(contentsOf: folder.appending(path: "questions.jsonl"), encoding: .utf8)
            .split(separator: "\n")
        let questions = try lines.prefix(Self.count).map {
            try JSONDecoder().decode(Question.self, from: Data($0.utf8))
        }
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
            for (sharers, expected) in [([sharer], \Question.c2c), ([], \Question.receiver)] {
                let session = try Session(
                    on: backend, receiver: receiver, sharers: sharers, capacity: 256, cacheType: .f32)
                for question in questions {
                    let prompt = "<|im_start|>user\n\(question.question)<|im_end|>\n<|im_start|>assistant\n"
                    let ids = try tokenizer.encode(prompt, addSpecialTokens: false)
                    let result = try session.generate(
                        Prompt(
                            ids, sections: Section.defaults(promptLength: ids.count, sharerCount: sharers.count)),
                        maxNewTokens: 128, endTokens: receiverFiles.endTokens)
                    let text = try tokenizer.decode(result.tokens, skipSpecialTokens: true)
                    #expect(text == question[keyPath: expected], "\(question.question)")
                }
            }
        }
    }
}
