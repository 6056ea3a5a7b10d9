import Inference
import VulkanCompute

/// A tensor in device memory, rows padded as `TensorShape` says.
final class VulkanTensor: StoredTensor {
    let name: String
    let shape: TensorShape
    let type: ElementType
    /// At least the tensor's `byteCount`.
    let buffer: Buffer
    /// Whether rows are stored as `InterleavedRows` says.
    var isInterleaved = false
    /// Whether a plan relies on that.
    var isOrderFixed = false
    /// The first number of a u32 tensor as the work that was handed over leaves it: what was last written to it, and what plans
    /// add to it. Estimates of how long attention takes rest on it, nothing else.
    var followed = 0

    init(name: String, shape: TensorShape, type: ElementType, buffer: Buffer) {
        self.name = name
        self.shape = shape
        self.type = type
        self.buffer = buffer
    }
}
