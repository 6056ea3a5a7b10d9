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

    private func expectSwift(_ reader: Reader, _ bytes: [UInt8]) throws {
        let start = ContinuousClock.now
        try reader.examine(bytes)
        #expect((ContinuousClock.now - start) / .seconds(1) < 2 * patience)
    }
}
