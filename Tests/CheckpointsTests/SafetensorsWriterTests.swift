import Checkpoints
import Foundation
import Testing

struct SafetensorsWriterTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = "\(directory.path)/out.safetensors"
    }

    @Test func whatIsWrittenIsRead() throws {
        let name = "quote\" back\\ line\n tab\t é \u{1} 😀"
        let tensors = [
            try HostTensor(name: "flags", dtype: .bool, shape: [3], bytes: [1, 0, 1]),
            try HostTensor(name: name, shape: [2, 2], floats: [1, -2, .pi, 1e-37]),
            try HostTensor(name: "half", dtype: .bf16, shape: [1], bytes: [0x80, 0x3F]),
            try HostTensor(name: "long", dtype: .i64, shape: [1], bytes: (-5).littleEndianBytes),
            try HostTensor(name: "none", dtype: .f32, shape: [0, 4], bytes: []),
            try HostTensor(name: "scalar", shape: [], floats: [3]),
        ]
        let metadata = ["format": "pt", "note\n": "\"x\""]
        try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
        let file = try SafetensorsFile(path)
        #expect(file.metadata == metadata)
        #expect(file.layouts.count == tensors.count)
        for tensor in tensors {
            let read = try file.tensor(tensor.name)
            #expect(read.dtype == tensor.dtype && read.shape == tensor.shape)
            #expect(read.withBytes { [UInt8]($0) } == tensor.withBytes { [UInt8]($0) })
        }
        #expect(try directory.names == ["out.safetensors"])
        // The header ends, and every tensor begins, where its elements are aligned.
        #expect(try contents(path)[0] % 8 == 0)
        #expect(file.layouts.map(\.dtype.elementSize) == [8, 4, 4, 4, 2, 1])
    }

    @Test func theHeaderIsAsTheFormatSays() throws {
        try SafetensorsWriter.write(
            [HostTensor(name: "a", shape: [2], floats: [1, 2])], metadata: ["k": "v"], to: path)
        let header = #"{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
        let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        #expect(try contents(path) == safetensors(padded, data: bytes([1, 2])))
    }

    @Test func streamsInPieces() throws {
        let layouts = [
            try TensorLayout(name: "b", dtype: .f32, shape: [3], file: path),
            try TensorLayout(name: "a", dtype: .f32, shape: [2], file: path),
        ]
        let writer = try SafetensorsWriter(path, layouts: layouts)
        try writer.append([1])
        try writer.append([2, 3, 4])
        #expect(!FileManager.default.fileExists(atPath: path))
        expectError(.invalidValue, "16 of the 20 bytes") { try writer.finish() }
        expectError(.invalidValue, "more bytes than the 20") { try writer.append([5, 6]) }
        try writer.append([5])
        try writer.finish()
        expectError(.invalidValue) { try writer.finish() }
        let file = try SafetensorsFile(path)
        #expect(try file.tensor("b").floats() == [1, 2, 3])
        #expect(try file.tensor("a").floats() == [4, 5])
    }

    @Test func anUnfinishedWriterLeavesNothing() throws {
        try directory.write("out.safetensors", "before")
        do {
            let layout = try TensorLayout(name: "a", dtype: .f32, shape: [2], file: path)
            let writer = try SafetensorsWriter(path, layouts: [layout])
            try writer.append([1])
            #expect(try directory.names.count == 2)
        }
        #expect(try directory.names == ["out.safetensors"])
        #expect(try contents(path) == Array("before".utf8))
    }

    @Test func replacesAnExistingFile() throws {
        try directory.write("out.safetensors", "before")
        try SafetensorsWriter.write([HostTensor(name: "a", shape: [1], floats: [1])], to: path)
        #expect(try SafetensorsFile(path).tensor("a").floats() == [1])
    }

    @Test func refusesWhatCannotBeWritten() throws {
        let tensor = try HostTensor(name: "a", shape: [1], floats: [1])
        expectError(.invalidValue, "'a'") { try SafetensorsWriter.write([tensor, tensor], to: path) }
        let reserved = try HostTensor(name: "__metadata__", shape: [1], floats: [1])
        expectError(.invalidValue, "__metadata__") { try SafetensorsWriter.write([reserved], to: path) }
        expectError(.inaccessible, "none/out") {
            try SafetensorsWriter.write([tensor], to: "\(directory.path)/none/out.safetensors")
        }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        expectError(.inaccessible) { try SafetensorsWriter.write([tensor], to: path) }
        let huge = try TensorLayout(name: "h", dtype: .u8, shape: [Int.max], file: path)
        let other = try TensorLayout(name: "i", dtype: .u8, shape: [Int.max], file: path)
        expectError(.tooLarge) { _ = try SafetensorsWriter(path, layouts: [huge, other]) }
        #expect(try directory.names == ["out.safetensors"])
    }
}
