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
        let pairBytes = 2 * tensor.type.byteCount
        let rowBytes = shape.rowStride * tensor.type.byteCount
        // Windows of whole rows whose starts keep the device's alignment.
        let rowsPerStep = limits.minStorageBufferOffsetAlignment
        let rows = max(1, limits.maxStorageBufferRange / rowBytes / rowsPerStep) * rowsPerStep
        let allRows = shape.batch * shape.rows
        let invocations = 1 << 20
        return stride(from: 0, to: allRows, by: rows).map { first in
            let count = min(rows, allRows - first)
            let pairs = count * shape.rowStride / 2
            return Dispatch(
                kernel: "random_fill \(tensor.type.variant)", label: "random_fill",
                bindings: [.write(tensor.buffer, offset: first * rowBytes, byteCount: count * rowBytes)],
                constants: constants(first * shape.rowStride / 2, pairs, shape.rowStride / 2, shape.columns)
                    + [seed, scale.bitPattern, UInt32(invocations)],
                groups: (invocations / 32, pairs.groups(of: invocations), 1),
                cost: DispatchCost(bytes: pairs * pairBytes))
        }
    }
}
