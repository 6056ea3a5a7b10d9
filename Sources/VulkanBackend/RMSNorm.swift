import Inference
import VulkanCompute

extension DispatchEncoder {
    func encode(_ op: RMSNorm) throws -> [Dispatch] {
        let input = try operand(op.input, .read)
        let weight = try operand(op.weight, .read)
        let output = try operand(op.output, .write)
        let width = op.input.columns / op.groups
        // A CPU driver runs a workgroup on one core, and barriers cost it dearly.
        let isNarrow = loadsByLane || width <= 256
        let lanes = isNarrow ? subgroupLanes ?? 256 : 256
        let elements = op.input.batch * op.input.rows * op.input.columns
        let sizes = constants(
            info(op.weight).shape.batchStride, input.offset, op.input.rowStride, op.input.batchStride, output.offset,
            op.output.rowStride, op.output.batchStride)
        return [
            Dispatch(
                kernel: "rms_norm LANES=\(lanes)", label: "rms_norm",
                bindings: [input.binding, weight.binding, output.binding],
                constants: [UInt32(width), op.epsilon.bitPattern] + sizes,
                groups: (op.groups, op.input.rows, op.input.batch),
                cost: DispatchCost(bytes: 8 * elements, flops: 4 * elements))
        ]
    }
}
