import Checkpoints
import Foundation
import Testing

struct TensorStoreTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func writeShard(_ file: String, _ tensors: [String: Float]) throws {
        let tensors = try tensors.map { try HostTensor(name: $0.key, shape: [1], floats: [$0.value]) }
        try SafetensorsWriter.write(tensors, to: "\(directory.path)/\(file)")
    }

    private func writeIndex(_ map: String) throws {
        try directory.write("model.safetensors.index.json", #"{"metadata":{"total_size":8},"weight_map":\#(map)}"#)
    }

    @Test func readsOneFile() throws {
        try writeShard("model.safetensors", ["a": 1, "b": 2])
        try writeShard("consolidated.safetensors", ["c": 3])
        let store = try TensorStore(directory.path)
        #expect(store.names == ["a", "b"])
        #expect(store.contains("a") && !store.contains("c"))
        #expect(try store.tensor("b").floats() == [2])
        expectError(.missing, "no tensor 'c'") { _ = try store.tensor("c") }
    }

    @Test func readsTheOnlyFileOfAnyName() throws {
        try writeShard("adapter.safetensors", ["a": 1])
        #expect(try TensorStore(directory.path + "/").tensor("a").floats() == [1])
        try writeShard("other.safetensors", ["a": 1])
        expectError(.malformed, "2 .safetensors files", "index") { _ = try TensorStore(directory.path) }
    }

    @Test func readsShardsLazily() throws {
        try writeShard("model-1.safetensors", ["a": 1])
        try directory.write("model-2.safetensors", "damaged")
        try writeIndex(#"{"a":"model-1.safetensors","b":"model-2.safetensors","c":"model-3.safetensors"}"#)
        let store = try TensorStore(directory.path)
        #expect(store.names == ["a", "b", "c"])
        #expect(try store.tensor("a").floats() == [1])
        expectError(.malformed, "model-2.safetensors") { _ = try store.tensor("b") }
        expectError(.missing, "model-3.safetensors", "download") { _ = try store.tensor("c") }
    }

    @Test func refusesAnIndexThatNamesAbsentTensors() throws {
        try writeShard("model-1.safetensors", ["a": 1])
        try writeIndex(#"{"a":"model-1.safetensors","b":"model-1.safetensors"}"#)
        let store = try TensorStore(directory.path)
        expectError(.malformed, "model-1.safetensors", "'b'", "index") { _ = try store.tensor("b") }
    }

    /// transformers reads every shard that the index names, whatever it says about single tensors.
    @Test func findsWhatTheIndexForgetsOrMisplaces() throws {
        try writeShard("model-1.safetensors", ["a": 1, "forgotten": 3])
        try writeShard("model-2.safetensors", ["b": 2, "misplaced": 4])
        try writeIndex(
            #"{"a":"model-1.safetensors","b":"model-2.safetensors","misplaced":"model-1.safetensors"}"#)
        let store = try TensorStore(directory.path)
        #expect(store.names == ["a", "b", "forgotten", "misplaced"])
        #expect(store.contains("forgotten") && !store.contains("c"))
        #expect(try store.tensor("forgotten").floats() == [3] && store.tensor("misplaced").floats() == [4])
        #expect(try store.facts("b").type == "F32")
    }

    @Test(arguments: [
        "../model.safetensors", "sub/model.safetensors", "/etc/model.safetensors", "..", ".", "", ".safetensors",
        "..\\\\model.safetensors", "a\\u0000.safetensors", "model.bin", "..safetensors",
    ])
    func refusesPathsOutOfTheDirectory(_ file: String) throws {
        try writeIndex(#"{"a":"\#(file)"}"#)
        expectError(.malformed, "index.json", "'a'", "beside it") { _ = try TensorStore(directory.path) }
    }

    @Test(arguments: ["[]", "{\"a\":1}", "{\"a\":null}", "null"])
    func refusesOtherIndexes(_ map: String) throws {
        try writeIndex(map)
        #expect(throws: CheckpointError.self) { try TensorStore(directory.path) }
    }

    @Test func saysWhatIsMissing() throws {
        expectError(.missing, "no .safetensors file") { _ = try TensorStore(directory.path) }
        try directory.write("pytorch_model.bin", "x")
        expectError(.unsupported, "pytorch_model.bin", "save_pretrained") { _ = try TensorStore(directory.path) }
        expectError(.inaccessible) { _ = try TensorStore("\(directory.path)/pytorch_model.bin") }
        expectError(.missing, "no such directory") { _ = try TensorStore("\(directory.path)/none") }
    }

    @Test func threadsShareAStore() async throws {
        try writeShard("model-1.safetensors", ["a": 1])
        try writeShard("model-2.safetensors", ["b": 2])
        try writeIndex(#"{"a":"model-1.safetensors","b":"model-2.safetensors"}"#)
        let store = try TensorStore(directory.path)
        let sum = try await withThrowingTaskGroup(of: Float.self) { group in
            for index in 0..<100 {
                group.addTask { try store.tensor(index.isMultiple(of: 2) ? "a" : "b").floats()[0] }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 150)
    }
}
