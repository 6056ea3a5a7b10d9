import Checkpoints
import Testing

struct SafetensorsFileTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func open(_ header: String, data: [UInt8] = [], length: UInt64? = nil) throws -> SafetensorsFile {
        try SafetensorsFile(directory.write("t.safetensors", safetensors(header, data: data, length: length)))
    }

    private func entry(_ dtype: String, _ shape: String, _ offsets: String) -> String {
        #"{"a":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}}"#
    }

    @Test func readsTensorsAndMetadata() throws {
        let header = """
            {"b":{"dtype":"F32","shape":[2],"data_offsets":[6,14]},"__metadata__":{"format":"pt"},
             "a":{"dtype":"F16","shape":[3,1],"data_offsets":[0,6]},
             "s":{"dtype":"BF16","shape":[],"data_offsets":[14,16]},
             "e":{"dtype":"I64","shape":[0,7],"data_offsets":[16,16]}}
            """
        let halves: [Float16] = [1.5, -2, 65504]
        let data = halves.flatMap { $0.bitPattern.littleEndianBytes } + bytes([0.1, -3e38]) + [0xC0, 0x3F]
        let file = try open(header, data: data)
        #expect(file.metadata == ["format": "pt"])
        #expect(file.layouts.map(\.name) == ["a", "b", "s", "e"])
        #expect(file.contains("a") && !file.contains("__metadata__"))
        let a = try file.tensor("a")
        #expect(a.dtype == .f16 && a.shape == [3, 1] && a.elementCount == 3 && a.byteCount == 6)
        #expect(try a.floats() == [1.5, -2, 65504])
        #expect(try file.tensor("b").floats() == [0.1, -3e38])
        #expect(try file.tensor("s").floats() == [1.5])
        #expect(try file.tensor("s").shape == [])
        #expect(try file.tensor("e").byteCount == 0)
        expectError(.unsupported, "'e' is I64") { _ = try file.tensor("e").floats() }
        expectError(.missing, "no tensor 'x'") { _ = try file.tensor("x") }
    }

    @Test(arguments: TensorType.allCases) func readsEveryType(_ type: TensorType) throws {
        let file = try open(
            entry(type.rawValue, "[2]", "[0,\(2 * type.elementSize)]"), data: Array(0..<UInt8(2 * type.elementSize)))
        #expect(try file.tensor("a").dtype == type)
        #expect(try file.tensor("a").withBytes { [UInt8]($0) } == Array(0..<UInt8(2 * type.elementSize)))
    }

    @Test func convertsToFloat() throws {
        let doubles = try HostTensor(
            name: "d", dtype: .f64, shape: [2], bytes: [0.1, 1e300].flatMap { $0.bitPattern.littleEndianBytes })
        #expect(try doubles.floats() == [0.1, .infinity])
        let halves = try HostTensor(name: "h", dtype: .f16, shape: [2], bytes: [0x00, 0x7C, 0x01, 0x00])
        #expect(try halves.floats() == [.infinity, 5.9604645e-8])
        let brains = try HostTensor(name: "b", dtype: .bf16, shape: [1], bytes: [0xC0, 0xFF])
        #expect(try brains.floats()[0].isNaN)
        expectError(.invalidValue, "needs 4 bytes, got 3") {
            _ = try HostTensor(name: "h", dtype: .f16, shape: [2], bytes: [0, 0, 0])
        }
    }

    @Test func keepsTheFileAlive() throws {
        let tensor = try open(entry("F32", "[1]", "[0,4]"), data: bytes([4.5])).tensor("a")
        #expect(try tensor.floats() == [4.5])
        tensor.advise(.sequential)
        tensor.advise(.dontNeed)
        #expect(try tensor.floats() == [4.5])
    }

    @Test(arguments: [0, 1, 7, 100_000_001, 1 << 40, 1 << 63, UInt64.max, UInt64.max - 7])
    func refusesLyingHeaderLengths(_ length: UInt64) {
        expectError(.malformed, "t.safetensors") {
            _ = try open(entry("F32", "[1]", "[0,4]"), data: bytes([1]), length: length)
        }
    }

    @Test(arguments: [
        ("F32", "[1]", "[0,8]"), ("F32", "[2]", "[0,4]"), ("F16", "[1]", "[0,4]"), ("F32", "[1]", "[4,0]"),
        ("F32", "[1]", "[8,12]"), ("F32", "[1]", "[-4,0]"), ("F32", "[-1]", "[0,4]"), ("F32", "[-1,-1]", "[0,4]"),
        ("F32", "[4611686018427387905]", "[0,4]"), ("F32", "[4294967296,4294967296]", "[0,0]"),
        ("F32", "[9223372036854775807,2]", "[0,4]"), ("F32", "[0,9223372036854775807,9223372036854775807]", "[0,4]"),
        ("F32", "[1]", "[0,9223372036854775807]"), ("F32", "[1]", "[9223372036854775807,9223372036854775807]"),
        ("F32", "[1]", "[0,9223372036854775808]"), ("F32", "[1]", "[-9223372036854775808,4]"),
        ("F32", "[1.0]", "[0,4]"), ("F32", "[1]", "[0,4.0]"), ("F32", "[true]", "[0,4]"), ("F32", "[1]", "[false,4]"),
        ("F32", "[1]", "[0,4,4]"), ("F32", "[1]", "[0]"), ("F32", "1", "[0,4]"), ("F32", "[[1]]", "[0,4]"),
        ("F32", "[1]", "\"0,4\""), ("F32", "[1]", "null"), ("F32", "[1e0]", "[0,4]"), ("F32", "[1e400]", "[0,4]"),
    ])
    func refusesLyingEntries(_ dtype: String, _ shape: String, _ offsets: String) {
        expectError(.malformed) { _ = try open(entry(dtype, shape, offsets), data: [0, 0, 0, 0, 0, 0, 0, 0]) }
    }

    @Test func refusesLyingHeaders() {
        func entry(_ name: String, _ begin: Int, _ end: Int) -> String {
            #""\#(name)":{"dtype":"U8","shape":[\#(end - begin)],"data_offsets":[\#(begin),\#(end)]}"#
        }
        let data = [UInt8](repeating: 0, count: 8)
        for (begin, end) in [(3, 7), (0, 4), (1, 2), (3, 4), (0, 8)] {
            expectError(.malformed, "overlap", "'a'", "'b'") {
                _ = try open("{\(entry("a", 0, 4)),\(entry("b", begin, end))}", data: data)
            }
        }
        expectError(.malformed, "twice") { _ = try open("{\(entry("a", 0, 4)),\(entry("a", 4, 8))}", data: data) }
        expectError(.malformed, "dtype") { _ = try open(#"{"a":{"shape":[0],"data_offsets":[0,0]}}"#) }
        expectError(.malformed, "dtype") { _ = try open(#"{"a":3}"#) }
        expectError(.malformed) { _ = try open("[]") }
        expectError(.malformed) { _ = try open("") }
        expectError(.malformed) { _ = try open("{\"a\":") }
        expectError(.malformed) { _ = try open("{} x") }
        expectError(.malformed, "__metadata__") { _ = try open(#"{"__metadata__":{"a":1}}"#) }
        expectError(.malformed, "__metadata__") { _ = try open(#"{"__metadata__":[]}"#) }
        expectError(.tooLarge, "nested") {
            _ = try open("{\"a\":" + String(repeating: "[", count: 100_000))
        }
        let shape = "[\(Array(repeating: "1", count: 17).joined(separator: ","))]"
        expectError(.tooLarge, "17 dimensions") { _ = try open(self.entry("U8", shape, "[0,1]"), data: [0]) }
    }

    /// Scales of eight bits, say, that nobody asks for.
    @Test func toleratesTypesThatNobodyAsksFor() throws {
        let header = """
            {"k_scale":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]},
             "half":{"dtype":"F4","shape":[2],"data_offsets":[2,3]},
             "w":{"dtype":"F32","shape":[1],"data_offsets":[3,7]}}
            """
        let file = try open(header, data: [1, 2, 3] + bytes([7]))
        #expect(try file.tensor("w").floats() == [7])
        #expect(file.tensors.map(\.type) == ["F8_E4M3", "F4", "F32"] && file.layouts.map(\.name) == ["w"])
        #expect(file.contains("k_scale") && file.facts("half")?.byteCount == 1)
        expectError(.unsupported, "'k_scale'", "F8_E4M3", "BF16") { _ = try file.tensor("k_scale") }
        for offsets in ["[0,9]", "[2,1]", "[-1,1]"] {
            expectError(.malformed, "data_offsets") { _ = try open(entry("F8_E4M3", "[1]", offsets), data: [0, 0]) }
        }
        expectError(.malformed, "shape") { _ = try open(entry("F8_E4M3", "[-1]", "[0,1]"), data: [0]) }
    }

    @Test func readsNoMetadata() throws {
        let file = try open(#"{"__metadata__":null,"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, data: [5])
        #expect(file.metadata.isEmpty && file.layouts.map(\.name) == ["a"])
    }

    @Test func tellsNamesApartByTheirBytes() throws {
        let file = try open(
            #"{"K":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u212a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
            data: [5, 6])
        #expect(try file.tensor("K").withBytes { $0[0] } == 5)
        #expect(try file.tensor("\u{212A}").withBytes { $0[0] } == 6)
    }

    @Test func toleratesHolesAndPadding() throws {
        let file = try open(entry("F32", "[1]", "[4,8]") + "   ", data: [9, 9, 9, 9] + bytes([7]) + [9])
        #expect(try file.tensor("a").floats() == [7])
        #expect(try open("{}").layouts.isEmpty)
    }

    @Test func everyPrefixThrows() throws {
        let whole = safetensors(entry("F32", "[2,3]", "[0,24]"), data: bytes([1, 2, 3, 4, 5, 6]))
        for length in 0..<whole.count {
            let path = try directory.write("p.safetensors", Array(whole[..<length]))
            expectError(.malformed, "p.safetensors") { _ = try SafetensorsFile(path) }
        }
        #expect(try SafetensorsFile(directory.write("p.safetensors", whole)).tensor("a").floats().last == 6)
    }
}
