import Inference
import VulkanCompute

extension DispatchEncoder {
    func encode(_ op: SwiGLU) throws -> [Dispatch] {
        let input = try operand(op.input, .read)
        let output = try operand(op.output, .write)
        let elements = op.output.columns * op.output.rows
        return [
            Dispatch(
                kernel: "swiglu", label: "swiglu", bindings: [input.binding, output.binding],
                constants: constants(
                    op.output.columns, input.offset, op.input.rowStride, output.offset, op.output.rowStride),
                groups: (op.output.columns.groups(of: 32), op.output.rows, 1),
                cost: DispatchCost(bytes: 12 * elements, flops: 4 * elements))
        ]
    }
}
