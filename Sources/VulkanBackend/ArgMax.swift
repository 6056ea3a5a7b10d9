import Inference
import VulkanCompute

extension DispatchEncoder {
    /// Logits that one workgroup scans alone.
    private static let wholeLength = 8192
    /// Logits that a workgroup scans of a longer row.
    private static let sliceLength = 2048

    func encode(_ op: ArgMax) throws -> [Dispatch] {
        let logits = try operand(op.logits, .read)
        let step = try operand(op.step, .read)
        let token = try operand(op.token, .write)
        let log = try operand(op.log, .write)
        func launch(_ stage: String, _ input: BufferBinding, count: Int, offset: Int) -> Dispatch {
            Dispatch(
                kernel: "argmax STAGE=\(stage)", label: "argmax",
                bindings: [input, step.binding, token.binding, log.binding],
                constants: constants(count, offset, 0, step.offset, token.offset, info(op.log).shape.columns),
                groups: (1, 1, 1), cost: DispatchCost(bytes: 4 * count))
        }
        let columns = op.logits.columns
        guard columns > Self.wholeLength else {
            return [launch("WHOLE", logits.binding, count: columns, offset: logits.offset)]
        }
        let slices = columns.groups(of: Self.sliceLength)
        let candidates = try temporary.range(byteCount: 8 * slices)
        return [
            Dispatch(
                kernel: "argmax STAGE=SLICE", label: "argmax",
                bindings: [logits.binding, candidates.with(.write)],
                constants: constants(columns, logits.offset, Self.sliceLength, 0, 0, 0), groups: (slices, 1, 1),
                cost: DispatchCost(bytes: 4 * columns)),
            launch("PICK", candidates.with(.read), count: slices, offset: 0),
        ]
    }
}
