import Inference

/// A tensor in host memory, rows padded as `TensorShape` says.
final class ReferenceTensor: StoredTensor {
    let name: String
    let shape: TensorShape
    let type: ElementType
    let bytes: UnsafeMutableRawBufferPointer

    init(name: String, shape: TensorShape, type: ElementType) {
        self.name = name
        self.shape = shape
        self.type = type
        bytes = .allocate(byteCount: max(16, shape.storedCount * type.byteCount), alignment: 16)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit {
        bytes.deallocate()
    }

    var byteCount: Int { shape.storedCount * type.byteCount }
}
