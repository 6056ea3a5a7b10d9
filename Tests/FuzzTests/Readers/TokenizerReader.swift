import Tokenization

/// A tokenizer.json, with text through it in both directions.
enum TokenizerReader {
    /// Enough of one for tests of the files beside it.
    static let small = """
        {"added_tokens":[],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":false},
        "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}}
        """

    private static let texts = [
        "", "ab", " a b  c\n\n1234", "<|im_start|>user\n<s> Grüße e\u{301}\u{323} 世界 👩‍👩‍👧 don't\r\n\t </s>",
        String(repeating: "ab", count: 300), String(repeating: " ", count: 300) + "x",
    ]

    static func read(_ bytes: [UInt8]) throws {
        let tokenizer = try Tokenizer(json: bytes)
        for text in texts {
            for special in [true, false] {
                let ids = try tokenizer.encode(text, addSpecialTokens: special)
                for skips in [true, false] { try decode(ids, tokenizer, skips) }
            }
        }
        try decode(Array(0..<min(tokenizer.vocabularySize, 400)), tokenizer, false)
        try decode((0..<min(tokenizer.vocabularySize, 400)).reversed(), tokenizer, true)
    }

    /// What comes token by token is the text of all tokens.
    private static func decode(_ ids: [Int], _ tokenizer: Tokenizer, _ skips: Bool) throws {
        let whole = try tokenizer.decode(ids, skipSpecialTokens: skips)
        var stream = StreamingDetokenizer(tokenizer, skipSpecialTokens: skips)
        var parts = ""
        for id in ids { parts += try stream.append(id) }
        parts += stream.finish()
        guard Array(parts.utf8) == Array(whole.utf8) else { throw BrokenPromise("a stream that differs from its text") }
    }
}
