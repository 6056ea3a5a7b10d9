import Inference
import VulkanCompute

extension DispatchEncoder {
    func encode(_ op: RoPE) throws -> [Dispatch] {
        let input = try operand(op.input, .read)
        let table = try operand(op.table, .read)
        let position = try operand(op.position, .read)
        let output = try operand(op.output, .write)
        let pairs = op.input.columns / 2
        return [
            Dispatch(
                kernel: "rope", label: "rope",
                bindings: [input.binding, table.binding, position.binding, output.binding],
                constants: constants(
                    pairs, op.headDim / 2, info(op.table).shape.rowStride, position.offset, input.offset,
                    op.input.rowStride, output.offset, op.output.rowStride),
                groups: (pairs.groups(of: 32), op.input.rows, 1),
                cost: DispatchCost(
                    bytes: 16 * pairs * op.input.rows, flops: 6 * pairs * op.input.rows))
        ]
    }
}
