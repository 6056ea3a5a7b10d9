import Checkpoints
import JSON
import Testing

struct JSONParserTests {
    private func parse(_ bytes: [UInt8]) throws -> JSONValue {
        try bytes.withUnsafeBytes { try JSONParser.parse($0, file: "test.json") }
    }

    private func parse(_ text: String) throws -> JSONValue {
        try parse(Array(text.utf8))
    }

    @Test func readsValues() throws {
        let text = #" {"a": [1, -2.5, true, false, null, "x"], "b": {}, "c": []} "# + "\r\n\t"
        let expected: JSONValue = .object([
            "a": .array([.integer(1), .number(-2.5), .bool(true), .bool(false), .null, .string("x")]),
            "b": .object([:]), "c": .array([]),
        ])
        #expect(try parse(text) == expected)
    }

    @Test func keepsNumbersExact() throws {
        #expect(try parse("9223372036854775807") == .integer(.max))
        #expect(try parse("-9223372036854775808") == .integer(.min))
        #expect(try parse("9007199254740993") == .integer(9_007_199_254_740_993))
        #expect(try parse("9223372036854775808") == .large("9223372036854775808"))
        #expect(try parse("-9223372036854775809") == .large("-9223372036854775809"))
        #expect(try parse("1000000000000000019884624838656") == .large("1000000000000000019884624838656"))
        #expect(try parse("1e400") == .number(.infinity))
        #expect(try parse("-1e400") == .number(-.infinity))
        #expect(try parse("1e-06") == .number(1e-6))
        #expect(try parse("1E+2") == .number(100))
        #expect(try parse("3.0") == .number(3))
        #expect(try parse("-0") == .integer(0))
        #expect(try parse("1e-400") == .number(0))
    }

    /// As Python's `json` does, which writes them.
    @Test func readsWhatIsNoNumber() throws {
        #expect(try parse("[Infinity, -Infinity]") == .array([.number(.infinity), .number(-.infinity)]))
        guard case .number(let number) = try parse("NaN") else {
            Issue.record("NaN is no number")
            return
        }
        #expect(number.isNaN)
    }

    @Test func takesTheLastOfAKeysValues() throws {
        #expect(try parse(#"{"a":1,"b":2,"\u0061":3}"#) == .object(["a": .integer(3), "b": .integer(2)]))
        let bytes = Array(#"{"a":1,"\u0061":2}"#.utf8)
        expectError(.malformed, "twice") {
            _ = try bytes.withUnsafeBytes { try JSONParser.parse($0, file: "test.json", refusesRepeatedKeys: true) }
        }
    }

    /// The Kelvin sign and K, and an accented letter in one piece and in two, are one `String` each in Swift.
    @Test func tellsKeysApartByTheirBytes() throws {
        guard case .object(let object) = try parse(#"{"K":1,"\u212a":2,"\u00e9":3,"e\u0301":4}"#) else { return }
        #expect(object.count == 4 && object.map(\.value) == [.integer(1), .integer(2), .integer(3), .integer(4)])
        #expect(object["K"] == .integer(1) && object["\u{212A}"] == .integer(2))
        #expect(object["\u{E9}"] == .integer(3) && object["e\u{301}"] == .integer(4))
        #expect(JSONValue.object(object).serialized == "{\"K\":1,\"\u{212A}\":2,\"\u{E9}\":3,\"e\u{301}\":4}")
    }

    @Test func readsEscapes() throws {
        #expect(try parse(#""a\"\\\/\b\f\n\r\t""#) == .string("a\"\\/\u{8}\u{C}\n\r\t"))
        #expect(try parse(#""\u00e9\u4E2D\ud83d\ude00""#) == .string("é中😀"))
        #expect(try parse(#""é中😀""#) == .string("é中😀"))
    }

    @Test(arguments: [
        "", " ", "{", "[", "\"", "\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "[1,", "[1,]",
        "[1 2]",
        "{1:2}", "{\"a\" 1}", "tru", "nul", "True", "Nan", "-NaN", "+Infinity", "Inf", "-", "01", "-01", "1.", ".5",
        "1e",
        "1e+", "+1", "0x10", "1 2", "{} {}", "'a'", "// c\n1", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"",
        "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"", "\"\\", "\"\\u", "\"a\nb\"",
        "[1]]", "\u{FEFF}1",
    ])
    func refuses(_ text: String) {
        expectError(.malformed, "test.json") { _ = try parse(text) }
    }

    @Test func refusesInvalidUTF8() {
        for bytes: [UInt8] in [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]] {
            expectError(.malformed) { _ = try parse([0x22] + bytes + [0x22]) }
            expectError(.malformed) { _ = try parse([0x22, 0x5C, 0x6E] + bytes + [0x22]) }
        }
    }

    @Test func limitsNesting() throws {
        let depth = JSONParser.maximumDepth
        _ = try parse(String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
        for opening in ["[", "{\"a\":"] {
            expectError(.tooLarge, "nested") { _ = try parse(String(repeating: opening, count: depth + 1)) }
            expectError(.tooLarge, "nested") { _ = try parse(String(repeating: opening, count: 1_000_000)) }
        }
    }

    @Test func limitsLengths() throws {
        expectError(.tooLarge, "number") { _ = try parse(String(repeating: "1", count: 1_000_000)) }
        expectError(.tooLarge, "number") { _ = try parse("0." + String(repeating: "0", count: 1_000_000)) }
        expectError(.tooLarge, "key") { _ = try parse("{\"\(String(repeating: "k", count: 5000))\":1}") }
        let many = "[" + String(repeating: "0,", count: JSONParser.maximumValues) + "0]"
        expectError(.tooLarge, "values") { _ = try parse(many) }
        #expect(try parse("\"\(String(repeating: "k", count: 100_000))\"") != .null)
    }

    @Test func everyPrefixThrows() {
        let text = Array(#"{"a": [1.5e3, -2, true, null, "x\n\ud83d\ude00é"], "b": {"c": false}}"#.utf8)
        for length in 0..<text.count {
            expectError(.malformed) { _ = try parse(Array(text[..<length])) }
        }
    }
}
