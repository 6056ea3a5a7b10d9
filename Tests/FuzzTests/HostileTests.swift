import FuzzReaders
import Testing

/// Small files that ask for much. Each once crashed, ran for minutes, or took gigabytes.
@Suite struct HostileTests {
    private static let marks = String(repeating: "\u{323}\u{301}", count: 20_000)

    @Test(
        "Text of endless combining marks is refused before it is compared",
        arguments: [
            (Reader.config, #"{"model_type":"…"}"#),
            (.config, "tokenizer_config.json\n" + #"{"chat_template":[{"name":"…","template":"x"}]}"#),
            (.tokenizer, #"{"…":1}"#),
            (.tokenizer, #"{"model":{"…":1}}"#),
            (.tokenizer, #"{"pre_tokenizer":{"…":"…"}}"#),
            (.tokenizer, #"{"pre_tokenizer":{"type":"…"},"model":{"type":"BPE","vocab":{},"merges":[]}}"#),
            (.json, #"["…","\u0301…"]"#),
            (.questions, #"{"id":"…","question":"Q","answer":"4"}"#),
            (.questions, #"{"question":"Q","answer":"…"}"#),
            (.questions, #"{"question":"Q","choices":["…","b"],"answer":"…"}"#),
            (.questions, "questions.csv\nquestion,choices,answer\nQ,\"['…' 'b']\",b\n"),
        ])
    func endlessMarks(reader: Reader, text: String) throws {
        try expectSwift(reader, Array(text.replacing("…", with: Self.marks).utf8))
    }

    @Test("A pickle's text of endless combining marks is refused before it is compared")
    func endlessMarksInPickle() throws {
        let marks = Self.marks.utf8
        let length = withUnsafeBytes(of: UInt32(marks.count).littleEndian, Array.init)
        // A global whose module and name are the text.
        let bytes = [0x80, 2] + [UInt8(ascii: "X")] + length + marks + [UInt8(ascii: "X")] + length + marks + [0x93]
        try expectSwift(.torch, bytes)
    }

    @Test("Arrays within arrays in a cell end at a depth")
    func nestedArrays() throws {
        let cell = String(repeating: "array(", count: 200_000)
        try expectSwift(.questions, Array("questions.csv\nquestion,choices,answer\nQ,\(cell),1\n".utf8))
    }

    @Test("A tokenizer can't ask for more tokens around a text, or steps before it, than it could mean")
    func multiplied() throws {
        func tokenizer(steps: String = "", processors: String) -> [UInt8] {
            Array(
                #"""
                {"pre_tokenizer":{"type":"Sequence","pretokenizers":[\#(steps){"type":"ByteLevel","add_prefix_space":false}]},
                "post_processor":{"type":"Sequence","processors":[\#(processors)]},"decoder":{"type":"ByteLevel"},
                "model":{"type":"BPE","vocab":{"a":0},"merges":[]}}
                """#.utf8)
        }
        func template(names: Int, ids: Int) -> String {
            let items = String(repeating: #"{"SpecialToken":{"id":"x"}},"#, count: names)
            let list = String(repeating: "0,", count: ids)
            return #"""
                {"type":"TemplateProcessing","single":[\#(items){"Sequence":{"id":"A"}}],
                "special_tokens":{"x":{"ids":[\#(list)0]}}}
                """#
        }
        // 260 KB, and 8 GB of tokens around every text.
        try expectSwift(.tokenizer, tokenizer(processors: template(names: 5000, ids: 200_000)))
        // 5 MB, and a text copied 50,000 times.
        let many = repeatElement(template(names: 1, ids: 0), count: 50_000).joined(separator: ",")
        try expectSwift(.tokenizer, tokenizer(processors: many))
        // 2 MB, and 1.5 GB of compiled patterns.
        let steps = String(repeating: #"{"type":"Digits","individual_digits":true},"#, count: 50_000)
        try expectSwift(.tokenizer, tokenizer(steps: steps, processors: ""))
    }

    private func expectSwift(_ reader: Reader, _ bytes: [UInt8]) throws {
        let start = ContinuousClock.now
        try reader.examine(bytes)
        #expect((ContinuousClock.now - start) / .seconds(1) < 2 * patience)
    }
}
