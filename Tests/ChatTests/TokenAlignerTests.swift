import Chat
import Foundation
import Inference
import Testing

/// Against what the reference implementation makes of one conversation, with Qwen's template on one side and Llama's on the
/// other.
@Suite struct TokenAlignerTests {
    private struct Case: Decodable {
        struct Sub: Decodable {
            var prompt_ids: [Int]
            var sharer_prompt_ids: [Int]
            var padding: [Int]
            var sharer_padding: [Int]
            var sections: [[Int]]
            var receiver_text: String
            var sharer_text: String
        }

        var system: String
        var text: String
        var sub: [String: Sub]
    }

    private static let folder = fixtures.appending(path: "golden/qwen3_from_llama_aligned")

    private func model(_ name: String) throws -> ModelText {
        try #require(try ModelText(directory: Self.folder.appending(path: name)))
    }

    @Test("Tokens, padding and sections are the reference implementation's", arguments: AlignmentStrategy.allCases)
    func golden(_ strategy: AlignmentStrategy) throws {
        let golden = try JSONDecoder().decode(
            Case.self, from: Data(contentsOf: Self.folder.appending(path: "case.json")))
        let expected = try #require(golden.sub[strategy.rawValue])
        let aligner = TokenAligner(receiver: try model("receiver"), sharer: try model("sharer"), strategy: strategy)
        let prompt = try aligner.align(
            receiverText: expected.receiver_text, sharerText: expected.sharer_text,
            messages: [golden.system, golden.text])
        #expect(prompt.receiver.ids == expected.prompt_ids)
        #expect(prompt.sharers.first?.ids == expected.sharer_prompt_ids)
        #expect(prompt.receiver.padding == Set(expected.padding.indices.filter { expected.padding[$0] == 1 }))
        #expect(
            prompt.sharers.first?.padding
                == Set(expected.sharer_padding.indices.filter { expected.sharer_padding[$0] == 1 })
        )
        #expect(prompt.sections.map { [$0.length, $0.sharerMask] } == expected.sections)
    }

    @Test("A message that a template changes is named")
    func changedMessage() throws {
        let aligner = TokenAligner(receiver: try model("receiver"), sharer: try model("sharer"), strategy: .first)
        do {
            _ = try aligner.align(receiverText: "<a>x</a>  hi ", sharerText: "<a>x</a>hi", messages: ["x", " hi "])
            Issue.record("sides that differ were paired")
        } catch let error as ChatError {
            #expect(error.description.contains("message 2") && error.description.contains("sharer"))
        }
    }

    @Test("Words that the template says too are not taken for a message's")
    func templateWords() throws {
        let aligner = TokenAligner(receiver: try model("receiver"), sharer: try model("sharer"), strategy: .longest)
        let prompt = try aligner.align(
            receiverText: "user says<|im_start|>user<|im_end|>", sharerText: "the user is<|eot_id|>user<|eot_id|>",
            messages: ["user"])
        #expect(prompt.sections.map(\.sharerMask) == [-1, 1, -1])
        #expect(prompt.receiver.count == prompt.sharers.first?.count)
    }
}
