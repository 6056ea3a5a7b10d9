import Inference
import VulkanCompute

/// Launches that fill a tensor with random values; see `Backend.makeRandomTensor`.
struct RandomFill {
    var tensor: VulkanTensor
    var seed: UInt32
    var scale: Float
    var limits: DeviceDescription.Limits

    func dispatches() -> [Dispatch] {
        let shape = tensor.shape
        // What an invocation writes: a pair of elements, or 32 bits of a quantized row.
        let wordBytes = tensor.type.blockFormat == nil ? 2 * tensor.type.byteCount : 4
        let rowBytes = tensor.type.rowBytes(columns: shape.columns)
        // Windows of whole rows whose starts keep the device's alignment.
        let rowsPerStep = max(limits.minStorageBufferOffsetAlignment, tensor.type.tileRows)
        let rows = max(1, limits.maxStorageBufferRange / rowBytes / rowsPerStep) * rowsPerStep
        let storedRows = tensor.type.storedRows(shape.rows)
        let allRows = shape.batch * storedRows
        let invocations = 1 << 20
        return stride(from: 0, to: allRows, by: rows).map { first in
            let count = min(rows, allRows - first)
            let words = count * rowBytes / wordBytes
            return Dispatch(
                kernel: "random_fill \(tensor.type.variant)", label: "random_fill",
                bindings: [.write(tensor.buffer, offset: first * rowBytes, byteCount: count * rowBytes)],
                constants: constants(
                    first * rowBytes / wordBytes, words, rowBytes / wordBytes, shape.rows, storedRows, shape.columns)
                    + [seed, scale.bitPattern, UInt32(invocations)],
                groups: (invocations / 32, words.groups(of: invocations), 1),
                cost: DispatchCost(bytes: count * rowBytes))
        }
    }
}
