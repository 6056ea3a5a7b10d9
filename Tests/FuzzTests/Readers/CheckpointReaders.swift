import Checkpoints

/// The tensors of one file, to the last byte.
enum SafetensorsReader {
    static func read(_ bytes: [UInt8]) throws {
        let file = try SafetensorsFile(Workplace("safetensors").write("model.safetensors", bytes))
        for layout in file.layouts { try touch(file.tensor(layout.name)) }
    }
}

/// A state_dict: zip, pickle and tensors.
enum TorchReader {
    static func read(_ bytes: [UInt8]) throws {
        let place = try Workplace("torch")
        // A pickle alone spares the fuzzer the zip around it.
        if bytes.first == 0x80 {
            _ = try bytes.withUnsafeBytes { try Unpickler.stateDictionary($0, file: "data.pkl") }
            return
        }
        for tensor in try TorchFile(place.write("projector_0.pt", bytes)).tensors.values { try touch(tensor) }
    }
}

private func touch(_ tensor: HostTensor) throws {
    let sum = tensor.withBytes { bytes in bytes.reduce(0) { $0 &+ Int($1) } }
    guard sum >= 0 else { throw BrokenPromise("a sum of bytes below zero") }
    if tensor.elementCount <= 1 << 20 { _ = try tensor.floats() }
}
