import Checkpoints
import Testing

struct UnpicklerTests {
    private func unpickle(_ bytes: [UInt8]) throws -> [String: PickledTensor] {
        let state = try bytes.withUnsafeBytes { try Unpickler.stateDictionary($0, file: "t.pt") }
        return Dictionary(uniqueKeysWithValues: state.tensors.map { ($0.key.text, $0.value) })
    }

    private func unpickle(_ body: (inout PickleBuilder) -> Void) throws -> [String: PickledTensor] {
        var pickle = PickleBuilder()
        body(&pickle)
        return try unpickle(pickle.bytes)
    }

    @Test func readsAStateDictionary() throws {
        let result = try unpickle(
            PickleBuilder.dictionary {
                $0.text("w")
                $0.tensor(key: "7", type: "BFloat16Storage", count: 12, offset: 2, shape: [2, 3], strides: [3, 1])
            })
        let storage = try #require(result["w"]?.storage)
        #expect(storage.key == "7" && storage.dtype == .bf16 && storage.elementCount == 12)
        #expect(result["w"]?.offset == 2 && result["w"]?.shape == [2, 3] && result["w"]?.strides == [3, 1])
        #expect(result.count == 1)
    }

    @Test(arguments: [
        ("DoubleStorage", TensorType.f64), ("FloatStorage", .f32), ("HalfStorage", .f16), ("BFloat16Storage", .bf16),
        ("LongStorage", .i64), ("IntStorage", .i32), ("ShortStorage", .i16), ("CharStorage", .i8), ("ByteStorage", .u8),
        ("BoolStorage", .bool),
    ])
    func knowsTheStorages(_ name: String, _ type: TensorType) throws {
        let result = try unpickle(
            PickleBuilder.dictionary {
                $0.text("w")
                $0.tensor(key: "0", type: name, count: 1, shape: [], strides: [])
            })
        #expect(result["w"]?.storage.dtype == type)
    }

    @Test func readsEveryFormOfWhatItAllows() throws {
        // Protocol 4: FRAME, SHORT_BINUNICODE, BINUNICODE8, STACK_GLOBAL, MEMOIZE, and integers of every width.
        var pickle = PickleBuilder(bytes: [0x80, 4, 0x95] + [UInt8](repeating: 0, count: 8))
        func short(_ text: String) -> [UInt8] { [0x8C, UInt8(text.utf8.count)] + Array(text.utf8) }
        pickle.bytes += short("collections") + [0x94] + short("OrderedDict") + [0x93, 0x94, 0x29, 0x52]
        pickle.op("(")
        pickle.bytes += [0x8D] + UInt64(1).littleEndianBytes + [0x77]
        pickle.bytes += short("torch._utils") + short("_rebuild_parameter") + [0x93]
        pickle.bytes += short("torch._utils") + short("_rebuild_tensor_v2") + [0x93]
        pickle.op("(")
        pickle.bytes += [0x28] + short("storage") + short("torch") + short("FloatStorage") + [0x93]
        pickle.bytes += short("0") + short("cuda:0") + [0x4D, 0x00, 0x01, 0x74, 0x51]  // BININT2 256
        pickle.bytes += [0x4A] + Int32(3).littleEndianBytes  // BININT
        pickle.bytes += [0x4B, 2, 0x8A, 1, 5, 0x8A, 0, 0x87]  // (2, 5, 0): BININT1, LONG1
        pickle.bytes += [0x8A, 2, 0xFE, 0xFF, 0x8A, 1, 0x80, 0x4A] + Int32(-1).littleEndianBytes + [0x87]
        pickle.bytes += [0x88, 0x4E, 0x7D, 0x74, 0x52]  // True, None, {}
        pickle.bytes += [0x88, 0x68, 1, 0x29, 0x52, 0x87, 0x52]  // BINGET 1 is OrderedDict
        pickle.op("u")
        // A module's metadata, with a list and a float in it.
        pickle.bytes += [0x7D] + short("_metadata") + [0x7D] + short("v") + [0x5D, 0x4B, 1, 0x61, 0x28, 0x4B, 2, 0x65]
        pickle.bytes += [0x73] + short("f") + [0x47, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0, 0x73, 0x73, 0x62, 0x2E]
        let tensor = try #require(try unpickle(pickle.bytes)["w"])
        #expect(tensor.storage.elementCount == 256 && tensor.offset == 3)
        #expect(tensor.shape == [2, 5, 0] && tensor.strides == [-2, -128, -1])
    }

    @Test(arguments: [
        ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "exec"), ("__builtin__", "eval"),
        ("subprocess", "Popen"), ("torch", "load"), ("torch._utils", "_rebuild_anything"),
        ("torch", "FancyStorage"), ("torch", "float_power"), ("torch", "intern"), ("torch", "float8/x"),
        ("torch.jit", "load"), ("collections", "defaultdict"), ("collections.OrderedDict", ""), ("", ""),
        ("numpy.core.multiarray", "_reconstruct"), ("os\u{1B}[31m", "system"),
    ])
    func refusesToRunCode(_ module: String, _ name: String) {
        let code: (inout PickleBuilder) -> Void = {
            $0.global(module, name)
            $0.text("touch /tmp/x")
            $0.bytes.append(0x85)
            $0.op("R")
            $0.op(".")
        }
        expectError(.unsafe, "t.pt", "run code", "not loaded") { _ = try unpickle(code) }
        expectError(.unsafe, "run code") {
            _ = try unpickle {
                $0.text(module)
                $0.text(name)
                $0.bytes.append(0x93)
                $0.op(".")
            }
        }
    }

    @Test func namesTheRefusedGlobal() {
        expectError(.unsafe, "'builtins.eval'") { _ = try unpickle { $0.global("builtins", "eval") } }
        expectError(.unsafe, "\\u{1b}") { _ = try unpickle { $0.global("\u{1B}[2J", "x") } }
    }

    @Test(
        arguments: [
            "i", "o", "\u{92}", "P", "I", "F", "S", "V", "L", "d", "l", "p", "g", "0", "1", "2", "T",
            "B",
            "C", "\u{82}", "\u{83}", "\u{84}", "\u{8B}", "\u{8E}", "\u{90}", "\u{91}", "\u{96}", "\u{97}",
            "\u{FF}",
            "\u{0}",
        ] as [Unicode.Scalar])
    func refusesOtherOpcodes(_ opcode: Unicode.Scalar) {
        expectError(.unsupported, "opcode 0x\(String(opcode.value, radix: 16))") {
            _ = try unpickle { $0.bytes += [0x7D, 0x7D, UInt8(opcode.value), 0, 0, 0, 0] }
        }
    }

    @Test(
        arguments: [
            // Too few values, or values behind a MARK.
            [0x2E], [0x85, 0x2E], [0x4E, 0x86, 0x2E], [0x4E, 0x4E, 0x87], [0x74], [0x75], [0x65], [0x73],
            [0x7D, 0x4E, 0x73],
            [0x7D, 0x28, 0x2E], [0x7D, 0x28, 0x4E, 0x73], [0x4E, 0x28, 0x85], [0x52], [0x4E, 0x52], [0x51], [0x62],
            [0x93],
            [0x71, 0], [0x28, 0x71, 0], [0x61], [0x5D, 0x61],
            // The wrong kind of value.
            [0x4E, 0x4E, 0x4E, 0x73], [0x4E, 0x28, 0x75], [0x7D, 0x28, 0x4E, 0x75], [0x7D, 0x4E, 0x61],
            [0x4E, 0x4E, 0x52],
            [0x4E, 0x29, 0x52], [0x7D, 0x29, 0x52], [0x29, 0x51], [0x4E, 0x51], [0x4E, 0x7D, 0x62], [0x7D, 0x4E, 0x62],
            [0x4E, 0x4E, 0x93],
            // A result that is not a dictionary of tensors.
            [0x4E, 0x2E], [0x29, 0x2E], [0x5D, 0x2E], [0x7D, 0x4B, 1, 0x4E, 0x73, 0x2E],
            [0x7D, 0x8C, 1, 0x77, 0x4E, 0x73, 0x2E],
            [0x7D, 0x8C, 1, 0x77, 0x7D, 0x73, 0x2E],
            // The memo, texts, integers, the protocol.
            [0x68, 0], [0x68, 255], [0x6A, 0xFF, 0xFF, 0xFF, 0xFF], [0x4E, 0x71, 1, 0x68, 0], [0x8C, 1, 0xFF],
            [0x58, 0xFF, 0xFF, 0xFF, 0xFF], [0x8D, 0, 0, 0, 0, 0, 0, 0, 0x80], [0x8A, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [0x80, 6], [0x63, 0x6F], [0x63, 0xFF, 0x0A, 0x0A], [0x95, 0],
        ] as [[UInt8]])
    func refusesMalformedPickles(_ bytes: [UInt8]) {
        expectError(.malformed, "t.pt") { _ = try unpickle([0x80, 2] + bytes) }
    }

    @Test func refusesOtherCallsOfAllowedGlobals() {
        let bodies: [(inout PickleBuilder) -> Void] = [
            { $0.emptyCall("torch._utils", "_rebuild_tensor_v2") },
            { $0.emptyCall("torch._utils", "_rebuild_parameter") },
            { $0.emptyCall("torch", "FloatStorage") },
            {
                $0.global("collections", "OrderedDict")
                $0.bytes += [0x5D, 0x85, 0x52]
            },
            {
                $0.global("torch._utils", "_rebuild_tensor_v2")
                $0.bytes += [0x28, 0x4E, 0x4E, 0x4E, 0x4E, 0x4E, 0x4E, 0x74, 0x52]
            },
            {
                $0.global("torch._utils", "_rebuild_parameter")
                $0.bytes += [0x4E, 0x4E, 0x4E, 0x87, 0x52]
            },
            { $0.tensor(key: "0", count: 1, shape: Array(repeating: 1, count: 17), strides: [1]) },
            {
                // A persistent id of something else.
                $0.op("(")
                $0.text("module")
                $0.global("torch", "FloatStorage")
                $0.text("0")
                $0.text("cpu")
                $0.int(1)
                $0.op("t")
                $0.op("Q")
            },
            {
                $0.op("(")
                $0.text("storage")
                $0.global("collections", "OrderedDict")
                $0.text("0")
                $0.text("cpu")
                $0.int(1)
                $0.op("t")
                $0.op("Q")
            },
        ]
        for body in bodies {
            expectError(.malformed) {
                _ = try unpickle {
                    body(&$0)
                    $0.op(".")
                }
            }
        }
    }

    @Test func refusesANameTwice() {
        expectError(.malformed, "'w' occurs twice") {
            _ = try unpickle(
                PickleBuilder.dictionary {
                    for _ in 0..<2 {
                        $0.text("w")
                        $0.tensor(key: "0", count: 1, shape: [], strides: [])
                    }
                })
        }
    }

    @Test func refusesAnOverlongName() {
        expectError(.malformed) {
            _ = try unpickle(
                PickleBuilder.dictionary {
                    $0.text(String(repeating: "n", count: 2000))
                    $0.tensor(key: "0", count: 1, shape: [], strides: [])
                })
        }
        expectError(.malformed, "line") { _ = try unpickle { $0.global(String(repeating: "m", count: 300), "n") } }
    }

    @Test(.timeLimit(.minutes(5))) func bombsAreHarmless() throws {
        // A million nested tuples: releasing them must not recurse.
        expectError(.malformed) {
            _ = try unpickle { $0.bytes += [0x29] + [UInt8](repeating: 0x85, count: 1_000_000) + [0x2E] }
        }
        // Each tuple holds the one before twice: 2 to the 100,000th values if anything followed the references.
        expectError(.malformed) {
            _ = try unpickle {
                $0.bytes.append(0x29)
                for _ in 0..<100_000 { $0.bytes += [0x71, 0, 0x68, 0, 0x86] }
                $0.op(".")
            }
        }
        // A list and a dictionary that contain themselves.
        expectError(.malformed) { _ = try unpickle { $0.bytes += [0x5D, 0x71, 0, 0x68, 0, 0x61, 0x2E] } }
        expectError(.malformed) {
            _ = try unpickle { $0.bytes += [0x7D, 0x71, 0, 0x8C, 1, 0x77, 0x68, 0, 0x73, 0x2E] }
        }
        expectError(.tooLarge, "stacks") { _ = try unpickle { $0.bytes += [UInt8](repeating: 0x4E, count: 200_000) } }
        expectError(.tooLarge, "stacks") { _ = try unpickle { $0.bytes += [UInt8](repeating: 0x28, count: 200_000) } }
        expectError(.tooLarge, "steps") {
            _ = try unpickle {
                $0.bytes.append(0x29)
                $0.bytes += [UInt8](repeating: 0x85, count: Unpickler.maximumOpcodes)
            }
        }
        expectError(.tooLarge, "bytes") {
            _ = try unpickle([UInt8](repeating: 0x4E, count: Unpickler.maximumSize + 1))
        }
        // Sixteen bytes each for memo entries far apart.
        expectError(.malformed) {
            _ = try unpickle {
                $0.bytes.append(0x29)
                for index in 0..<UInt32(100_000) { $0.op("r", (index &* 42_949).littleEndianBytes) }
                $0.op(".")
            }
        }
    }

    @Test func everyPrefixThrows() throws {
        let whole = PickleBuilder.dictionary {
            $0.text("w")
            $0.tensor(key: "0", count: 6, shape: [2, 3], strides: [3, 1])
        }
        _ = try unpickle(whole)
        for length in 0..<whole.count {
            #expect(throws: CheckpointError.self) { try unpickle(Array(whole[..<length])) }
        }
    }
}
