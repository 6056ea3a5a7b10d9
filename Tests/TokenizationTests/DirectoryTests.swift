import Foundation
import Testing
import Tokenization

/// Checkpoint directories as tools write them. The numbers are those of transformers 5.24 (`AutoTokenizer.from_pretrained`) with
/// tokenizers 0.23 on the same files.
@Suite struct DirectoryTests {
    /// A copy of the small tokenizer of Qwen's kind, whose five added tokens have the ids 900 to 904.
    private final class Copy {
        let url = FileManager.default.temporaryDirectory.appending(path: "tokenizer-\(UUID().uuidString)")

        init() throws {
            let original = GoldenTokenizerTests.golden.appendingPathComponent("tokenizers/qwen_style")
            try FileManager.default.copyItem(at: original, to: url)
            try write("config.json", #"{"model_type": "qwen3"}"#)
        }

        deinit {
            try? FileManager.default.removeItem(at: url)
        }

        func read(_ name: String) throws -> String {
            try String(contentsOf: url.appending(path: name), encoding: .utf8)
        }

        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: url.appending(path: name))
        }

        func remove(_ names: String...) throws {
            for name in names { try FileManager.default.removeItem(at: url.appending(path: name)) }
        }

        /// Puts entries in front of tokenizer.json's added tokens, or behind them.
        func add(_ entries: String, inFront: Bool = false) throws {
            let text = try read("tokenizer.json")
            let start = try #require(text.range(of: "\"added_tokens\": ["))
            let end = try #require(text.range(of: "]", range: start.upperBound..<text.endIndex))
            let place = inFront ? start.upperBound : end.lowerBound
            let entries = inFront ? entries + "," : "," + entries
            try write("tokenizer.json", text.replacingCharacters(in: place..<place, with: entries))
        }

        /// Puts members behind those of tokenizer_config.json.
        func configure(_ members: String) throws {
            let text = try read("tokenizer_config.json")
            let end = try #require(text.range(of: "}", options: .backwards))
            try write("tokenizer_config.json", text.replacingCharacters(in: end, with: ", \(members)}"))
        }

        /// Makes vocab.json and merges.txt of tokenizer.json.
        func split(lineEnd: String = "\n") throws {
            let json = try JSONSerialization.jsonObject(with: Data(read("tokenizer.json").utf8))
            let model = try #require((json as? [String: Any])?["model"] as? [String: Any])
            let vocabulary = try #require(model["vocab"] as? [String: Int])
            let merges = try #require(model["merges"] as? [[String]])
            try JSONSerialization.data(withJSONObject: vocabulary).write(to: url.appending(path: "vocab.json"))
            let lines = ["#version: 0.2"] + merges.map { $0.joined(separator: " ") }
            try write("merges.txt", lines.joined(separator: lineEnd) + lineEnd)
            try remove("tokenizer.json")
        }

        func tokenizer() throws -> Tokenizer { try Tokenizer(directory: url) }

        func ids(_ text: String, special: Bool = false) throws -> [Int] {
            try tokenizer().encode(text, addSpecialTokens: special)
        }
    }

    private static func entry(_ id: Int, _ content: String, special: Bool = false, rstrip: Bool = false) -> String {
        #"{"id": \#(id), "content": "\#(content)", "single_word": false, "lstrip": false, "rstrip": \#(rstrip), "#
            + #""normalized": false, "special": \#(special)}"#
    }

    // MARK: tokenizer.json

    @Test("An added token twice is one token; the later flags count")
    func twice() throws {
        let copy = try Copy()
        try copy.add(Self.entry(901, "<|im_start|>", special: true))
        #expect(try copy.ids("x <|im_end|> y") == [87, 220, 902, 423])
        try copy.remove("tokenizer_config.json", "special_tokens_map.json", "config.json")
        try copy.add(Self.entry(902, "<|im_end|>", special: true, rstrip: true))
        #expect(try copy.ids("x <|im_end|> y") == [87, 220, 902, 88])
    }

    @Test("Ids that added tokens name don't count: the model's is kept, a new token gets the next")
    func ids() throws {
        let copy = try Copy()
        try copy.add(Self.entry(950, "<extra>"))
        #expect(try copy.ids("  <extra>  ") == [256, 905, 256])
        try copy.add(Self.entry(7, "in"))
        #expect(try copy.tokenizer().id(of: "in") == 264)
        // The same id as another's, and one of the vocabulary's.
        try copy.add(Self.entry(904, "<x>") + "," + Self.entry(5, "<y>"))
        #expect(try copy.ids("<x><y></think>") == [906, 907, 904])
        #expect(try copy.tokenizer().vocabularySize == 908)
    }

    @Test("A token whose normal form is another text stands for that")
    func normalized() throws {
        let copy = try Copy()
        try copy.add(
            Self.entry(905, "<e\u{301}>").replacing(#""normalized": false"#, with: #""normalized": true"#))
        let ids = try copy.ids("é<é>")
        #expect(ids == [127, 102, 905])
        expectSame(try copy.tokenizer().decode(ids, skipSpecialTokens: false), "é<\u{FFFD}>")
    }

    @Test("Keys that are equal only after normalization are two")
    func keys() throws {
        let copy = try Copy()
        let text = try copy.read("tokenizer.json")
        let start = try #require(text.range(of: "\"post_processor\": {"))
        let template = """
            "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<e\u{301}>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<\u{E9}>", "type_id": 0}}], "pair": [],
            "special_tokens": {"<e\u{301}>": {"id": "<e\u{301}>", "ids": [5], "tokens": ["x"]},
            "<\u{E9}>": {"id": "<\u{E9}>", "ids": [6], "tokens": ["x"]}}}, "unused": {
            """
        try copy.write("tokenizer.json", text.replacingCharacters(in: start, with: template))
        #expect(try copy.ids("Hi", special: true) == [5, 39, 72, 6])
    }

    @Test(
        "RoBERTa's processing puts a token before and one behind", arguments: ["RobertaProcessing", "BertProcessing"])
    func roberta(_ type: String) throws {
        let copy = try Copy()
        let text = try copy.read("tokenizer.json")
        let start = try #require(text.range(of: "\"post_processor\": {"))
        let processing =
            #""post_processor": {"type": "\#(type)", "sep": ["<|im_end|>", 902], "cls": ["<|im_start|>", 901]}, "unused": {"#
        try copy.write("tokenizer.json", text.replacingCharacters(in: start, with: processing))
        #expect(try copy.ids("Hi", special: true) == [901, 39, 72, 902])
    }

    // MARK: The files beside it

    @Test("Tokens that only added_tokens_decoder has, with its flags")
    func decoder() throws {
        let copy = try Copy()
        let text = try copy.read("tokenizer_config.json")
        let start = try #require(text.range(of: "\"added_tokens_decoder\": {"))
        let entries = #"""
            "added_tokens_decoder": {"931": {"content": "<x>", "lstrip": true, "rstrip": true, "normalized": false, "special": true},
            "930": {"content": "<|tool|>"},
            """#
        try copy.write("tokenizer_config.json", text.replacingCharacters(in: start, with: entries))
        let tokenizer = try copy.tokenizer()
        // In the order of the ids given, but with the next that are free.
        #expect(try copy.ids("a<|tool|>b") == [64, 905, 65])
        #expect(try copy.ids("a <x> b") == [64, 906, 65])
        #expect(!tokenizer.isSpecial(905) && tokenizer.isSpecial(906))
        expectSame(try tokenizer.decode([64, 906, 65], skipSpecialTokens: true), "ab")
    }

    @Test("A token is special where the configuration says so, or gives it a role")
    func specialFlag() throws {
        let copy = try Copy()
        #expect(try !copy.tokenizer().isSpecial(903))
        try copy.configure(#""image_token": "<map>", "extra_special_tokens": ["<m2>"], "bos_token": "<think>""#)
        let tokenizer = try copy.tokenizer()
        #expect(try copy.ids("<map>0<m2>") == [905, 15, 906])
        #expect(tokenizer.isSpecial(903) && tokenizer.isSpecial(905) && tokenizer.isSpecial(906))
        #expect(try !Tokenizer(tokenizerJSON: copy.url.appending(path: "tokenizer.json")).isSpecial(903))
    }

    @Test("special_tokens_map.json and added_tokens.json count where there is no added_tokens_decoder")
    func olderFiles() throws {
        let copy = try Copy()
        try copy.write("tokenizer_config.json", #"{"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}"#)
        try copy.write(
            "special_tokens_map.json",
            #"{"bos_token": "<map>", "additional_special_tokens": ["<m2>"], "unk_token": {"content": "<m3>", "lstrip": true}}"#
        )
        try copy.remove("config.json")
        #expect(try copy.ids("<map>0<m2> <m3>") == [905, 15, 907, 906])
        try copy.write("special_tokens_map.json", #"{"additional_special_tokens": ["<map>"]}"#)
        // By bytes these are two keys.
        try copy.write(
            "added_tokens.json", "{\"<extra>\": 906, \"<map>\": 905, \"<e\u{301}>\": 907, \"<\u{E9}>\": 908}")
        let tokenizer = try copy.tokenizer()
        #expect(try copy.ids("  <extra>  ") == [256, 906, 256])
        #expect(tokenizer.isSpecial(905) && !tokenizer.isSpecial(906))
        #expect(tokenizer.vocabularySize == 909)
        try copy.write("tokenizer_config.json", #"{"added_tokens_decoder": {}}"#)
        #expect(try copy.ids("<map>") == [27, 583, 79, 29])
    }

    @Test("What Python reads as JSON is read: a key twice, NaN and Infinity")
    func python() throws {
        let copy = try Copy()
        try copy.configure(
            #""model_max_length": Infinity, "x": NaN, "y": -Infinity, "bos_token": "<map>", "bos_token": "<m2>""#)
        #expect(try copy.ids("<map>0<m2> <m3>") == [27, 583, 79, 29, 15, 905, 794, 76, 18, 29])
    }

    @Test("split_special_tokens leaves special tokens in a text as text")
    func splitSpecial() throws {
        let copy = try Copy()
        try copy.configure(#""split_special_tokens": true"#)
        #expect(try copy.ids("x <|im_end|> y") == [87, 794, 91, 467, 62, 499, 91, 29, 423])
    }

    @Test(
        "A file that is no such thing is named",
        arguments: [
            ("tokenizer_config.json", #"{"bos_token": 7}"#, "bos_token"),
            ("tokenizer_config.json", "[]", "not an object"),
            ("tokenizer_config.json", #"{"added_tokens_decoder": {"x": {"content": "a"}}}"#, "no id"),
            ("tokenizer_config.json", #"{"added_tokens_decoder": {"99999999999": {"content": "a"}}}"#, "no id"),
            ("tokenizer_config.json", #"{"added_tokens_decoder": {"1": 7}}"#, "no token"),
            ("tokenizer_config.json", #"{"additional_special_tokens": 7}"#, "array"),
            ("special_tokens_map.json", "{", "complete"), ("added_tokens.json", #"{"a": "b"}"#, "integer"),
            ("added_tokens.json", #"{"a": -1}"#, "expected 0"), ("tokenizer.json", "{}", "model is missing"),
            ("tokenizer.json", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
        ])
    func damaged(_ name: String, _ text: String, _ words: String) throws {
        let copy = try Copy()
        if !name.hasPrefix("tokenizer") { try copy.write("tokenizer_config.json", "{}") }
        try copy.write(name, text)
        do {
            _ = try copy.tokenizer()
            Issue.record("\(name) was read")
        } catch let error as TokenizationError {
            #expect(error.description.contains("/\(name): ") && error.description.contains(words), "\(error)")
        }
    }

    // MARK: vocab.json and merges.txt

    @Test("Without tokenizer.json, vocab.json and merges.txt are Qwen2's tokenizer", arguments: ["\n", "\r\n"])
    func vocabularyAndMerges(_ lineEnd: String) throws {
        let (_, expected) = try GoldenTokenizerTests.load("qwen_style")
        let copy = try Copy()
        try copy.split(lineEnd: lineEnd)
        let tokenizer = try copy.tokenizer()
        for example in expected.encode {
            #expect(try tokenizer.encode(example.text, addSpecialTokens: false) == example.ids, "\(example.text)")
        }
    }

    @Test("GPT-2's tokenizer knows no normal form; BOS and a space in front as its configuration says")
    func gpt2() throws {
        let copy = try Copy()
        try copy.split()
        try copy.write("config.json", #"{"model_type": "gpt2"}"#)
        let config = try copy.read("tokenizer_config.json")
        let named = config.replacing(
            #""tokenizer_class": "PreTrainedTokenizer""#, with: #""tokenizer_class": "GPT2TokenizerFast""#)
        try copy.write("tokenizer_config.json", named)
        #expect(
            try copy.ids("<|eot_id|>é e\u{301} \u{212B}")
                == [27, 91, 68, 301, 62, 489, 91, 29, 127, 102, 354, 136, 223, 220, 158, 226, 104])
        try copy.configure(#""add_bos_token": true, "bos_token": "<s>""#)
        #expect(try copy.ids("Hi", special: true) == [905, 39, 72])
        try copy.configure(#""add_bos_token": false, "add_prefix_space": true"#)
        #expect(try copy.ids("Hi", special: true) == [220, 39, 72])
    }

    @Test("Files that don't fit each other are named, and families without such files")
    func unfit() throws {
        let copy = try Copy()
        try copy.split()
        let merges = try copy.read("merges.txt")
        for (line, words) in [
            ("a b c", "not two tokens"), ("zzzz yyyy", "not in the vocabulary"), ("", "not two tokens"),
        ] {
            try copy.write("merges.txt", merges + line + "\n")
            #expect { try copy.tokenizer() } throws: { "\($0)".contains("/merges.txt: ") && "\($0)".contains(words) }
        }
        try copy.write("merges.txt", merges)
        try copy.write("config.json", #"{"model_type": "llama"}"#)
        #expect { try copy.tokenizer() } throws: { "\($0)".contains("no tokenizer.json") }
    }
}
