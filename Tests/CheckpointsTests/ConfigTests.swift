import Checkpoints
import Testing

struct ConfigTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func config(_ text: String) throws -> ConfigObject {
        try ConfigFile(directory.write("config.json", text)).root
    }

    @Test func readsTypedFields() throws {
        let root = try config(
            """
            {"hidden_size": 64, "rms_norm_eps": 1e-06, "rope_theta": 1000000, "tie": true, "model_type": "qwen3",
             "rope_scaling": {"factor": 32.0, "inner": {"low": 1}}, "sliding_window": null, "eos": 7, "stops": [1, 2],
             "architectures": ["A", "B"]}
            """)
        #expect(try root.int("hidden_size", in: 1...1_000_000) == 64)
        #expect(try root.double("rms_norm_eps", in: 0...1) == 1e-6)
        #expect(try root.double("rope_theta", in: 1...1e9) == 1_000_000)
        #expect(try root.bool("tie"))
        #expect(try root.string("model_type") == "qwen3")
        #expect(try root.object("rope_scaling").double("factor", in: 1...100) == 32)
        #expect(try root.integers("eos", in: 0...10) == [7])
        #expect(try root.integers("stops", in: 0...10) == [1, 2])
        #expect(try root.strings("architectures") == ["A", "B"])
        #expect(root.contains("tie") && !root.contains("sliding_window") && !root.contains("none"))
        #expect(root.keys.first == "architectures" && root.keys.count == 10)
    }

    @Test func absentAndNullAreTheSame() throws {
        let root = try config(#"{"a": null}"#)
        for key in ["a", "b"] {
            #expect(try root.optionalInt(key, in: 0...1) == nil)
            #expect(try root.optionalIntegers(key, in: 0...1) == nil)
            #expect(try root.optionalDouble(key, in: 0...1) == nil)
            #expect(try root.optionalBool(key) == nil)
            #expect(try root.optionalString(key) == nil)
            #expect(try root.optionalStrings(key) == nil)
            #expect(try root.optionalObject(key) == nil)
            #expect(try root.int(key, in: 0...9, default: 5) == 5)
            #expect(try root.double(key, in: 0...9, default: 0.5) == 0.5)
            #expect(try root.bool(key, default: true))
            expectError(.invalidValue, "config.json: \(key) is missing, expected an integer in 0...1") {
                _ = try root.int(key, in: 0...1)
            }
            expectError(.invalidValue, "missing") { _ = try root.integers(key, in: 0...1) }
            expectError(.invalidValue, "missing") { _ = try root.double(key, in: 0...1) }
            expectError(.invalidValue, "missing") { _ = try root.bool(key) }
            expectError(.invalidValue, "missing") { _ = try root.string(key) }
            expectError(.invalidValue, "missing") { _ = try root.strings(key) }
            expectError(.invalidValue, "missing") { _ = try root.object(key) }
        }
    }

    @Test func saysWhatWasFoundAndExpected() throws {
        let root = try config(
            #"{"n": 1.5, "t": true, "s": "64\n", "l": [1, "x"], "o": {"z": -1}, "big": 9223372036854775808, "f": 64.0}"#
        )
        expectError(.invalidValue, "n is 1.5, expected an integer in 1...9") { _ = try root.int("n", in: 1...9) }
        expectError(.invalidValue, "t is true, expected an integer") { _ = try root.int("t", in: 0...9) }
        expectError(.invalidValue, "t is true, expected a number") { _ = try root.double("t", in: 0...9) }
        expectError(.invalidValue, #"s is '64\u{a}'"#) { _ = try root.int("s", in: 0...99) }
        expectError(.invalidValue, "l[1] is 'x'") { _ = try root.integers("l", in: 0...9) }
        expectError(.invalidValue, "l[0] is 1, expected text") { _ = try root.strings("l") }
        expectError(.invalidValue, "o.z is -1, expected an integer in 0...9") {
            _ = try root.object("o").int("z", in: 0...9)
        }
        expectError(.invalidValue, "big is") { _ = try root.int("big", in: Int.min...Int.max) }
        expectError(.invalidValue, "f is 64.0") { _ = try root.int("f", in: 0...99) }
        expectError(.invalidValue, "n is 1.5, expected a number in 2.0...3.0") { _ = try root.double("n", in: 2...3) }
        expectError(.invalidValue, "n is 1.5, expected true or false") { _ = try root.bool("n", default: true) }
        expectError(.invalidValue, "o is an object, expected text") { _ = try root.optionalString("o") }
        expectError(.invalidValue, "l is a list of 2, expected an object") { _ = try root.optionalObject("l") }
        expectError(.invalidValue, "s is", "expected to end in x") { throw root.invalid("s", expected: "to end in x") }
    }

    @Test func readsWhatPythonWrites() throws {
        let root = try config(#"{"a": NaN, "b": -Infinity, "c": 1e999, "d": 1, "d": 2, "e": 18446744073709551616}"#)
        #expect(try root.int("d", in: 0...9) == 2)
        #expect(try root.double("e", in: 0...1e30) == 18_446_744_073_709_551_616)
        for key in ["a", "b", "c"] {
            expectError(.invalidValue, "\(key) is", "expected a number") { _ = try root.double(key, in: 0...1) }
        }
        expectError(.invalidValue, "e is '18446744073709551616'") { _ = try root.int("e", in: 0...9) }
    }

    @Test func refusesOtherFiles() throws {
        expectError(.malformed, "not an object") { _ = try config("[1]") }
        let large = #"{"a": ""# + String(repeating: "x", count: ConfigFile.maximumSize) + "\"}"
        expectError(.tooLarge) { _ = try config(large) }
        expectError(.missing) { _ = try ConfigFile("\(directory.path)/none.json") }
    }
}
