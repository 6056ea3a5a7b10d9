import Checkpoints
import Foundation
import JSON
import Testing

/// Files that PyTorch wrote, against what it reads from them itself; Tests/Fixtures/torch/make.py made both.
struct TorchFixtureTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/torch")

    @Test("every file of every kind, in both formats")
    func files() throws {
        // Foundation's parser takes keys for one that differ only before normalisation.
        let text = try String(contentsOf: Self.folder.appending(path: "expected.json"), encoding: .utf8)
        guard case .object(let expected) = try JSONParser.parse(text) else {
            Issue.record("expected.json is no object")
            return
        }
        #expect(expected.count > 20 && expected.keys.filter { $0.hasSuffix("_legacy.pt") }.count > 9)
        for (name, tensors) in expected {
            guard case .object(let tensors) = tensors else { continue }
            let file = try TorchFile(Self.folder.appending(path: name).path)
            for (key, tensor) in tensors {
                guard case .object(let tensor) = tensor, let values = tensor["values"] else {
                    #expect(
                        file.tensors[ExactText(key)] == nil && file.unread[ExactText(key)] != nil, "\(name): \(key)")
                    continue
                }
                let found = try #require(file.tensors[ExactText(key)], "\(name): \(key)")
                #expect(found.shape.map(Double.init) == tensor["shape"].map(numbers), "\(name): \(key)")
                #expect(found.dtype == type(tensor["type"]), "\(name): \(key)")
                #expect(found.values == numbers(values), "\(name): \(key)")
            }
        }
    }

    private func type(_ value: JSONValue?) -> TensorType? {
        guard case .string(let name) = value else { return nil }
        return TensorType(torchName: name)
    }

    private func numbers(_ value: JSONValue) -> [Double] {
        guard case .array(let items) = value else { return [] }
        return items.compactMap {
            switch $0 {
            case .integer(let number): Double(number)
            case .large(let digits): Double(digits)
            case .number(let number): number
            default: nil
            }
        }
    }

    @Test("what isn't read is named for what it is")
    func unread() throws {
        func file(_ name: String) throws -> TorchFile {
            try TorchFile(Self.folder.appending(path: name).path)
        }
        #expect(try file("float8.pt").unread == ["scale": "of type float8_e4m3fn"])
        let unread = try file("unread.pt").unread
        #expect(unread["complex"] == "of type complex64" && unread["quantized"] == "a quantized tensor")
        #expect(unread["sparse"] == "a sparse tensor" && unread["meta"] == "a tensor without data")
        #expect(try file("extra_state.pt").unread["x"] == "no tensor")
    }

    @Test("a file of the older format that is cut anywhere is an error")
    func everyPrefixThrows() throws {
        let whole = try contents(Self.folder.appending(path: "views_legacy.pt").path)
        let directory = try TemporaryDirectory()
        for length in stride(from: 0, to: whole.count, by: 7) {
            let path = try directory.write("p.pt", Array(whole[..<length]))
            expectError(.malformed, "p.pt") { _ = try TorchFile(path) }
        }
        // A storage that claims more than there is.
        var lying = whole
        let count = try #require(lying.lastRange(of: [6, 0, 0, 0, 0, 0, 0, 0]))
        lying.replaceSubrange(count, with: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F])
        let path = try directory.write("p.pt", lying)
        expectError(.malformed, "p.pt") { _ = try TorchFile(path) }
    }

    @Test("names lose what wrappers of training put into them")
    func wrappers() throws {
        let directory = try TemporaryDirectory()
        try directory.write("projector_config.json", #"{"0": {"1": {"0": [[0, 0]]}}}"#)
        try directory.write(
            "projector_0.json",
            #"{"class": "C", "init_args": {"source_dim": 1, "target_dim": 1, "source_num_heads": 1, "target_num_heads": 1, "hidden_dim": 1, "num_layers": 3}}"#
        )
        let names = [
            "module.a", "_orig_mod.b", "module._orig_mod.c", "d._orig_mod.e", "_fsdp_wrapped_module.f", "module.g", "g",
        ]
        let pickle = PickleBuilder.dictionary {
            for (index, name) in names.enumerated() {
                $0.text(name)
                $0.tensor(key: "0", count: 7, offset: index, shape: [1], strides: [1])
            }
        }
        let storage = bytes((0..<7).map(Float.init))
        try directory.write("projector_0.pt", torchArchive(pickle: pickle, storages: ["0": storage]).build())
        let state = try FuserDirectory(directory.path).projector(0).state()
        let found = try ["a", "b", "c", "d.e", "f", "g"].map { try state.tensor($0)?.floats() }
        #expect(found == [[0], [1], [2], [3], [4], [6]])
    }
}

extension HostTensor {
    /// Elements of any type that is read.
    fileprivate var values: [Double] {
        withBytes { bytes in
            (0..<elementCount).map { index in
                func bits<Bits: FixedWidthInteger>(_: Bits.Type) -> Bits {
                    Bits(littleEndian: bytes.loadUnaligned(fromByteOffset: index * dtype.elementSize, as: Bits.self))
                }
                return switch dtype {
                case .f64: Double(bitPattern: bits(UInt64.self))
                case .f32: Double(Float(bitPattern: bits(UInt32.self)))
                case .f16: Double(Float16(bitPattern: bits(UInt16.self)))
                case .bf16: Double(Float(bitPattern: UInt32(bits(UInt16.self)) << 16))
                case .i64: Double(bits(Int64.self))
                case .i32: Double(bits(Int32.self))
                case .i16: Double(bits(Int16.self))
                case .i8: Double(bits(Int8.self))
                case .u64: Double(bits(UInt64.self))
                case .u32: Double(bits(UInt32.self))
                case .u16: Double(bits(UInt16.self))
                case .u8, .bool: Double(bits(UInt8.self))
                }
            }
        }
    }
}

extension [UInt8] {
    fileprivate func lastRange(of part: [UInt8]) -> Range<Int>? {
        (0...count - part.count).last { self[$0..<$0 + part.count].elementsEqual(part) }.map { $0..<$0 + part.count }
    }
}
