import Inference
import VulkanCompute

/// A tensor in device memory, rows padded as `TensorShape` says.
final class VulkanTensor: StoredTensor {
    let name: String
    let shape: TensorShape
    let type: ElementType
    /// At least the tensor's `byteCount`.
    let buffer: Buffer

    init(name: String, shape: TensorShape, type: ElementType, buffer: Buffer) {
        self.name = name
        self.shape = shape
        self.type = type
        self.buffer = buffer
    }
}
