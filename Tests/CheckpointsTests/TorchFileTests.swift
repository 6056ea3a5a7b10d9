import Checkpoints
import Testing

struct TorchFileTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func open(_ zip: ZipBuilder) throws -> TorchFile {
        try TorchFile(directory.write("t.pt", zip.build()))
    }

    /// A file with the tensor "w" over storage "0" of the floats 0, 1, 2...
    private func one(
        stored: Int = 6, count: Int = 6, offset: Int = 0, shape: [Int], strides: [Int], type: String = "FloatStorage"
    ) throws -> HostTensor {
        let pickle = PickleBuilder.dictionary {
            $0.text("w")
            $0.tensor(key: "0", type: type, count: count, offset: offset, shape: shape, strides: strides)
        }
        let file = try open(torchArchive(pickle: pickle, storages: ["0": bytes((0..<stored).map(Float.init))]))
        return try #require(file.tensors["w"])
    }

    @Test func readsRowMajorTensors() throws {
        #expect(try one(shape: [2, 3], strides: [3, 1]).floats() == [0, 1, 2, 3, 4, 5])
        #expect(try one(shape: [2, 3], strides: [3, 1]).shape == [2, 3])
        #expect(try one(offset: 2, shape: [4], strides: [1]).floats() == [2, 3, 4, 5])
        #expect(try one(offset: 5, shape: [], strides: []).floats() == [5])
        #expect(try one(shape: [0, 9], strides: [9, 1]).floats() == [])
        #expect(try one(offset: 6, shape: [0], strides: [1]).floats() == [])
        // The stride of a dimension of one element means nothing.
        #expect(try one(shape: [1, 6, 1], strides: [77, 1, .max]).floats() == [0, 1, 2, 3, 4, 5])
    }

    @Test func copiesOtherStrides() throws {
        #expect(try one(shape: [3, 2], strides: [1, 3]).floats() == [0, 3, 1, 4, 2, 5])
        #expect(try one(offset: 1, shape: [3], strides: [2]).floats() == [1, 3, 5])
        #expect(try one(shape: [3, 1, 2], strides: [1, .max, 3]).floats() == [0, 3, 1, 4, 2, 5])
        #expect(
            try one(stored: 24, count: 24, shape: [4, 2, 3], strides: [1, 12, 4]).floats()
                == [0, 4, 8, 12, 16, 20, 1, 5, 9, 13, 17, 21, 2, 6, 10, 14, 18, 22, 3, 7, 11, 15, 19, 23])
        #expect(try one(shape: [2, 2], strides: [0, 1]).floats() == [0, 1, 0, 1])
    }

    @Test func tensorsMayShareAStorage() throws {
        let pickle = PickleBuilder.dictionary {
            for (name, offset) in [("a", 0), ("b", 2)] {
                $0.text(name)
                $0.tensor(key: "0", count: 4, offset: offset, shape: [2], strides: [1])
            }
        }
        let file = try open(torchArchive(pickle: pickle, storages: ["0": bytes([1, 2, 3, 4])]))
        #expect(try file.tensors["a"]?.floats() == [1, 2])
        #expect(try file.tensors["b"]?.floats() == [3, 4])
    }

    @Test func refusesViewsOutsideTheirStorage() {
        for (offset, shape, strides) in [
            (0, [7], [1]), (1, [6], [1]), (6, [], []), (-1, [1], [1]), (.min, [1], [1]), (.max, [1], [1]),
            (0, [3], [3]), (0, [2, 3], [4, 1]), (0, [2], [.max]), (0, [3], [.max]), (1, [2], [.max]),
            (0, [2, 2], [.max, .max]),
            (7, [0], [1]), (-1, [0], [1]), (0, [6], [-1]), (5, [6], [-1]), (0, [2, 3], [3]), (0, [2], [3, 1]),
            (0, [], [1]),
            (0, [-1], [1]), (0, [-2, -3], [3, 1]), (0, [1 << 62, 4], [0, 0]), (0, [.max], [0]),
            (0, [.max, .max], [0, 0]),
        ] as [(Int, [Int], [Int])] {
            expectError(.malformed, "'w'") { _ = try one(offset: offset, shape: shape, strides: strides) }
        }
    }

    @Test func refusesStoragesOfAnotherSize() {
        for count in [5, 7, 0, -6, .max, .min, 1 << 62] {
            expectError(.malformed, "storage") { _ = try one(count: count, shape: [1], strides: [1]) }
        }
        expectError(.malformed, "storage") { _ = try one(shape: [6], strides: [1], type: "HalfStorage") }
    }

    /// Copies would exceed what a file of this size may ask for.
    @Test func rowMajorTensorsAreNotCopied() throws {
        let pickle = PickleBuilder.dictionary {
            for index in 0..<200 {
                $0.text("w\(index)")
                $0.tensor(key: "0", count: 4096, shape: [1, 64, 64], strides: [7, 64, 1])
            }
        }
        let file = try open(torchArchive(pickle: pickle, storages: ["0": [UInt8](repeating: 0, count: 16384)]))
        #expect(file.tensors.count == 200)
    }

    @Test func limitsCopies() {
        // Four bytes that would become four gigabytes.
        expectError(.tooLarge, "contiguous") {
            _ = try one(stored: 1, count: 1, shape: [1 << 30], strides: [0])
        }
        // Each copy is small, all together are not.
        let pickle = PickleBuilder.dictionary {
            for index in 0..<200 {
                $0.text("w\(index)")
                $0.tensor(key: "0", count: 4096, shape: [64, 64], strides: [1, 64])
            }
        }
        expectError(.tooLarge, "contiguous") {
            _ = try open(torchArchive(pickle: pickle, storages: ["0": [UInt8](repeating: 0, count: 16384)]))
        }
    }

    @Test func refusesOtherArchives() throws {
        let pickle = PickleBuilder.dictionary {
            $0.text("w")
            $0.tensor(key: "0", count: 1, shape: [1], strides: [1])
        }
        let storages = ["0": bytes([1])]
        #expect(try open(torchArchive(pickle: pickle, storages: storages, byteorder: nil)).tensors.count == 1)
        expectError(.unsupported, "big-endian") {
            _ = try open(torchArchive(pickle: pickle, storages: storages, byteorder: "big"))
        }
        expectError(.malformed, "'w'", "missing") { _ = try open(torchArchive(pickle: pickle, storages: ["1": [0]])) }
        expectError(.unsupported, "deflate") {
            var zip = torchArchive(pickle: pickle, storages: storages)
            zip.entries[0].method = 8
            _ = try open(zip)
        }
        expectError(.malformed, "0 data.pkl") {
            var zip = torchArchive(pickle: pickle, storages: storages)
            zip.entries[0].name = "data.pkl"
            zip.entries[0].localName = "data.pkl"
            _ = try open(zip)
        }
        expectError(.malformed, "2 data.pkl") {
            var zip = torchArchive(pickle: pickle, storages: storages)
            zip.add("other/data.pkl", pickle)
            _ = try open(zip)
        }
    }

    @Test func aStorageKeyStaysUnderData() {
        for key in ["../data.pkl", "../../archive/data.pkl", "/etc/passwd", ""] {
            let pickle = PickleBuilder.dictionary {
                $0.text("w")
                $0.tensor(key: key, type: "ByteStorage", count: 1, shape: [1], strides: [1])
            }
            expectError(.malformed, "missing") { _ = try open(torchArchive(pickle: pickle, storages: ["0": [1]])) }
        }
    }

    @Test func refusesCode() throws {
        var pickle = PickleBuilder()
        pickle.global("os", "system")
        pickle.text("true")
        pickle.bytes += [0x85, 0x52, 0x2E]
        expectError(.unsafe, "t.pt", "'os.system'", "run code") {
            _ = try open(torchArchive(pickle: pickle.bytes, storages: [:]))
        }
    }

    @Test func saysWhatIsNoTorchFile() throws {
        expectError(.malformed, "torch.save") { _ = try TorchFile(directory.write("t.pt", "<html>")) }
        expectError(.malformed) { _ = try TorchFile(directory.write("t.pt", "PK\u{3}\u{4}")) }
        expectError(.missing) { _ = try TorchFile("\(directory.path)/none.pt") }
    }

    @Test func everyPrefixThrows() throws {
        let pickle = PickleBuilder.dictionary {
            $0.text("w")
            $0.tensor(key: "0", count: 2, shape: [2], strides: [1])
        }
        let whole = torchArchive(pickle: pickle, storages: ["0": bytes([1, 2])]).build()
        #expect(try TorchFile(directory.write("p.pt", whole)).tensors["w"]?.floats() == [1, 2])
        for length in 0..<whole.count {
            let path = try directory.write("p.pt", Array(whole[..<length]))
            expectError(.malformed, "p.pt") { _ = try TorchFile(path) }
        }
    }
}
