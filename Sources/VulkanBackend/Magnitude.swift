import Inference
import VulkanCompute

extension DispatchEncoder {
    func encode(_ op: Magnitude) throws -> [Dispatch] {
        let input = try operand(op.input, .read)
        let result = try operand(op.result, .readWrite)
        return [
            Dispatch(
                kernel: "magnitude", label: "magnitude", bindings: [input.binding, result.binding],
                constants: constants(
                    op.input.columns, input.offset, op.input.rowStride, op.input.batchStride, result.offset),
                groups: (op.input.columns.groups(of: 128), op.input.rows, op.input.batch),
                cost: DispatchCost(bytes: 4 * op.input.batch * op.input.rows * op.input.columns))
        ]
    }
}
