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
        let aligned = try aligner.align(
            receiverText: expected.receiver_text, sharerText: expected.sharer_text,
            messages: [golden.system, golden.text])
        let prompt = aligned.prompt
        #expect(aligned.unfused.isEmpty)
        #expect(prompt.receiver.ids == expected.prompt_ids)
        #expect(prompt.sharers.first?.ids == expected.sharer_prompt_ids)
        #expect(prompt.receiver.padding == Set(expected.padding.indices.filter { expected.padding[$0] == 1 }))
        #expect(
            prompt.sharers.first?.padding
                == Set(expected.sharer_padding.indices.filter { expected.sharer_padding[$0] == 1 })
        )
        #expect(prompt.sections.map { [$0.length, $0.sharerMask] } == expected.sections)
    }

    @Test("A message that a template changes is left unfused and named; those around it are fused")
    func changedMessage() throws {
        let (receiver, sharer) = (try model("receiver"), try model("sharer"))
        let aligner = TokenAligner(receiver: receiver, sharer: sharer, strategy: .first)
        let aligned = try aligner.align(
            receiverText: "<a>x</a>  hi <b>yes</b>", sharerText: "<a>x</a>hi<c>yes</c>", messages: ["x", " hi ", "yes"])
        #expect(aligned.unfused.map(\.message) == [1] && aligned.unfused.map(\.side) == ["sharer"])
        #expect(aligned.unfused.first?.description.contains("message 2") == true)
        #expect(aligned.prompt.sections.map(\.sharerMask) == [-1, 1, -1, 1, -1])
        #expect(aligned.prompt.receiver.count == aligned.prompt.sharers.first?.count)
        // Each side reads all of its own text.
        func text(_ sequence: TokenSequence?, _ model: ModelText) throws -> String {
            let ids = sequence.map { sequence in
                sequence.ids.indices.filter { !sequence.padding.contains($0) }.map { sequence.ids[$0] }
            }
            return try model.tokenizer.decode(ids ?? [], skipSpecialTokens: false)
        }
        #expect(try text(aligned.prompt.receiver, receiver) == "<a>x</a>  hi <b>yes</b>")
        let other = try aligner.align(receiverText: "<a> x </a>", sharerText: "<a>x</a>", messages: [" x "])
        #expect(other.unfused.map(\.side) == ["sharer"])
        #expect(other.prompt.sections.map(\.sharerMask) == [-1])
    }

    @Test("With one tokenizer for both, messages keep their tokens and only what stands between them is padded")
    func sameTokens() throws {
        let receiver = try model("receiver")
        let aligner = TokenAligner(receiver: receiver, sharer: receiver, strategy: nil)
        // A part of a character has no text of its own, and would become another token if it were encoded anew.
        let message = "Grüße 語"
        let aligned = try aligner.align(
            receiverText: "<a>\(message)<b>", sharerText: "<a>much longer<a>\(message)<b>", messages: [message])
        let prompt = aligned.prompt
        #expect(prompt.sections.map(\.sharerMask) == [-1, 1, -1])
        let range = prompt.sections[0].length..<prompt.sections[0].length + prompt.sections[1].length
        #expect(Array(prompt.receiver.ids[range]) == prompt.sharers.first.map { Array($0.ids[range]) })
        #expect(!prompt.receiver.padding.isEmpty && prompt.sharers.first?.padding.isEmpty == true)
        #expect(prompt.receiver.padding.allSatisfy { $0 < range.lowerBound })
    }

    @Test("Words that the template says too are not taken for a message's")
    func templateWords() throws {
        let aligner = TokenAligner(receiver: try model("receiver"), sharer: try model("sharer"), strategy: .longest)
        let prompt = try aligner.align(
            receiverText: "user says<|im_start|>user<|im_end|>", sharerText: "the user is<|eot_id|>user<|eot_id|>",
            messages: ["user"]
        ).prompt
        #expect(prompt.sections.map(\.sharerMask) == [-1, 1, -1])
        #expect(prompt.receiver.count == prompt.sharers.first?.count)
    }
}
