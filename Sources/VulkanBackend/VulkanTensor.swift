import Inference
import VulkanCompute

/// A tensor in device memory, rows padded as `TensorShape` says.
final class VulkanTensor: StoredTensor {
    let name: String
    let shape: TensorShape
    let type: ElementType
    let buffer: Buffer

    init(name: String, shape: TensorShape, type: ElementType, buffer: Buffer) {
        self.name = name
        self.shape = shape
        self.type = type
        self.buffer = buffer
    }

    /// Bytes of the shape, padding included. The buffer may be some bytes larger.
    static func byteCount(_ shape: TensorShape, _ type: ElementType) -> Int {
        shape.storedCount * type.byteCount
    }
}
