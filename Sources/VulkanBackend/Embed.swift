import Inference
import VulkanCompute

extension DispatchEncoder {
    func encode(_ op: Embed) throws -> [Dispatch] {
        let table = info(op.table)
        let ids = try operand(op.ids, .read)
        let output = try operand(op.output, .write)
        let rowBytes = table.type.rowBytes(columns: table.shape.columns)
        return try windows(op.table, .read).map { window in
            Dispatch(
                kernel: "embed \(table.type.variant)", label: "embed",
                bindings: [ids.binding, window.operand.binding, output.binding],
                specialization: isInterleaved(op.table) ? [1] : [],
                constants: constants(
                    op.output.columns, ids.offset, window.rows.lowerBound, window.rows.count, table.shape.rows,
                    window.operand.byteOffset / table.type.loadBytes, rowBytes / table.type.loadBytes, output.offset,
                    op.output.rowStride),
                groups: (op.output.columns.groups(of: 8 * 32), op.output.rows, 1),
                cost: DispatchCost(bytes: op.output.rows * (rowBytes + 4 * op.output.columns)))
        }
    }
}
