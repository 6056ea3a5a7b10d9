import Foundation
import Testing
import Tokenization

/// Ids and texts made with the tokenizers library itself (see Tests/Fixtures/golden/README.md).
@Suite struct GoldenTokenizerTests {
    struct Expected: Decodable {
        struct Encoding: Decodable {
            let text: String
            let ids: [Int]
            let ids_with_special: [Int]
            let decoded: String
            let decoded_skip_special: String
        }
        struct Decoding: Decodable {
            let ids: [Int]
            let decoded: String
            let decoded_skip_special: String
        }
        let encode: [Encoding]
        let decode: [Decoding]
    }

    struct Case: Decodable {
        let prompt: String
        let prompt_ids: [Int]
    }

    static let golden = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/golden")

    static func load(_ style: String) throws -> (Tokenizer, Expected) {
        let directory = golden.appendingPathComponent("tokenizers/\(style)")
        let data = try Data(contentsOf: directory.appendingPathComponent("expected.json"))
        let expected = try JSONDecoder().decode(Expected.self, from: data)
        #expect(expected.encode.count == 130)
        #expect(expected.decode.count == 60)
        return (try Tokenizer(directory: directory), expected)
    }

    @Test(arguments: ["qwen_style", "llama_style"])
    func encodesAndDecodes(_ style: String) throws {
        let (tokenizer, expected) = try Self.load(style)
        for example in expected.encode {
            let ids = try tokenizer.encode(example.text, addSpecialTokens: false)
            #expect(ids == example.ids, "\(example.text)")
            let withSpecial = try tokenizer.encode(example.text, addSpecialTokens: true)
            #expect(withSpecial == example.ids_with_special, "\(example.text)")
            expectSame(try tokenizer.decode(ids, skipSpecialTokens: false), example.decoded)
            expectSame(try tokenizer.decode(ids, skipSpecialTokens: true), example.decoded_skip_special)
        }
        for example in expected.decode {
            expectSame(try tokenizer.decode(example.ids, skipSpecialTokens: false), example.decoded)
            expectSame(try tokenizer.decode(example.ids, skipSpecialTokens: true), example.decoded_skip_special)
        }
    }

    @Test(arguments: ["qwen_style", "llama_style"])
    func streamsTheSameText(_ style: String) throws {
        let (tokenizer, expected) = try Self.load(style)
        let sequences =
            expected.encode.map { ($0.ids, $0.decoded, $0.decoded_skip_special) }
            + expected.decode.map { ($0.ids, $0.decoded, $0.decoded_skip_special) }
        for (ids, decoded, decodedSkippingSpecial) in sequences {
            expectSame(try stream(ids, tokenizer, skipSpecialTokens: false), decoded)
            expectSame(try stream(ids, tokenizer, skipSpecialTokens: true), decodedSkippingSpecial)
        }
    }

    @Test(arguments: [
        "all_in_one_input_gate", "all_in_one_recipe", "all_in_one_scalar", "k_nearest_deep_sharer", "llama_pair",
        "qwen3_from_qwen2", "sections", "sharded_f16", "two_sharers",
    ])
    func encodesThePromptOfACase(_ name: String) throws {
        let directory = Self.golden.appendingPathComponent(name)
        let data = try Data(contentsOf: directory.appendingPathComponent("case.json"))
        let expected = try JSONDecoder().decode(Case.self, from: data)
        let tokenizer = try Tokenizer(directory: directory.appendingPathComponent("receiver"))
        #expect(try tokenizer.encode(expected.prompt, addSpecialTokens: false) == expected.prompt_ids)
        expectSame(try tokenizer.decode(expected.prompt_ids, skipSpecialTokens: false), expected.prompt)
    }
}

/// `String` compares up to canonical equivalence; a tokenizer must be right to the byte.
func expectSame(_ text: String, _ expected: String, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(Array(text.utf8) == Array(expected.utf8), "\(text) / \(expected)", sourceLocation: sourceLocation)
}

func stream(_ ids: [Int], _ tokenizer: Tokenizer, skipSpecialTokens: Bool) throws -> String {
    var detokenizer = StreamingDetokenizer(tokenizer, skipSpecialTokens: skipSpecialTokens)
    return try ids.map { try detokenizer.append($0) }.joined() + detokenizer.finish()
}
