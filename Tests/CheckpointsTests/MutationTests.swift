import Checkpoints
import JSON
import Testing

/// Damages real files at random, the same way in every run: reading must succeed or throw, never trap, and what was
/// read must be readable to its last byte.
@Suite(.timeLimit(.minutes(5))) struct MutationTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Calls `body` with `count` variants of the bytes, changed within `range`; returns how many threw.
    private func mutate(
        _ original: [UInt8], in range: Range<Int>, count: Int, seed: UInt64, _ body: ([UInt8]) throws -> Void
    ) throws -> Int {
        var generator = SeededGenerator(state: seed)
        var refused = 0
        for _ in 0..<count {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let position = Int.random(in: range, using: &generator)
                switch UInt8.random(in: 0..<5, using: &generator) {
                case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 1: bytes[position] = UInt8.random(in: 0...255, using: &generator)
                case 2: bytes[position] = 0xFF
                case 3:
                    for index in position..<min(position + 8, range.upperBound) { bytes[index] = 0xFF }
                default: bytes[position] = bytes[Int.random(in: range, using: &generator)]
                }
            }
            do {
                try body(bytes)
            } catch is CheckpointError {
                refused += 1
            }
        }
        return refused
    }

    private func readEveryByte(_ tensor: HostTensor) -> UInt8 {
        tensor.withBytes { $0.reduce(0, ^) }
    }

    private func openTorch(_ bytes: [UInt8]) throws {
        for tensor in try TorchFile(directory.write("m.pt", bytes)).tensors.values { _ = readEveryByte(tensor) }
    }

    @Test func torchFiles() throws {
        let original = try contents(golden("qwen3_from_qwen2/fuser/final/projector_0.pt"))
        let directoryStart = original.count - 2700
        var refused = try mutate(original, in: 0..<5600, count: 1500, seed: 1, openTorch)
        refused += try mutate(original, in: directoryStart..<original.count, count: 2000, seed: 2, openTorch)
        refused += try mutate(original, in: 0..<original.count, count: 500, seed: 3, openTorch)
        #expect(refused > 1000)
    }

    @Test func pickles() throws {
        let archive = try ZipArchive(MappedFile(golden("all_in_one_recipe/fuser/final/projector_0.pt")))
        let original = try #require(archive.entries["projector_0/data.pkl"]).withBytes { [UInt8]($0) }
        func unpickle(_ bytes: [UInt8]) throws {
            _ = try bytes.withUnsafeBytes { try Unpickler.stateDictionary($0, file: "m.pkl") }
        }
        try unpickle(original)
        #expect(try mutate(original, in: 0..<original.count, count: 10_000, seed: 4, unpickle) > 5000)
        for length in 0..<original.count {
            #expect(throws: CheckpointError.self) { try unpickle(Array(original[..<length])) }
        }
    }

    @Test func safetensorsFiles() throws {
        let original = try contents(golden("include_response/expected.safetensors"))
        func open(_ bytes: [UInt8]) throws {
            let file = try SafetensorsFile(directory.write("m.safetensors", bytes))
            for layout in file.layouts { _ = readEveryByte(try file.tensor(layout.name)) }
        }
        let header = 8 + original[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        var refused = try mutate(original, in: 0..<header, count: 3000, seed: 5, open)
        refused += try mutate(original, in: 0..<8, count: 500, seed: 6, open)
        #expect(refused > 2000)
        for length in 0..<header {
            #expect(throws: CheckpointError.self) { try open(Array(original[..<length])) }
        }
    }

    @Test func configurations() throws {
        let original = try contents(golden("all_in_one_recipe/fuser/config.json"))
        let refused = try mutate(original, in: 0..<original.count, count: 10_000, seed: 7) { bytes in
            _ = try bytes.withUnsafeBytes { try JSONParser.parse($0, file: "m.json") }
        }
        #expect(refused > 3000)
    }
}
