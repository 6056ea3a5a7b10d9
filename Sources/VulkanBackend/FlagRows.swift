import Inference
import VulkanCompute

extension DispatchEncoder {
    func encode(_ op: FlagRows) throws -> [Dispatch] {
        let bounds = try operand(op.bounds, .read)
        let count = try operand(op.count, .read)
        let flags = try operand(op.flags, .write)
        let rows = info(op.flags).shape.columns
        return [
            Dispatch(
                kernel: "flag_rows", label: "flag rows", bindings: [bounds.binding, count.binding, flags.binding],
                constants: constants(rows, op.bounds.columns, bounds.offset, count.offset),
                groups: (rows.groups(of: 128), 1, 1), cost: DispatchCost(bytes: 4 * rows))
        ]
    }
}
