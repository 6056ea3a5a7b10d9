import Inference
import VulkanCompute

extension DispatchEncoder {
    func encode(_ op: ArgMax) throws -> [Dispatch] {
        let logits = try operand(op.logits, .read)
        let step = try operand(op.step, .read)
        let token = try operand(op.token, .write)
        let log = try operand(op.log, .write)
        return [
            Dispatch(
                kernel: "argmax", label: "argmax",
                bindings: [logits.binding, step.binding, token.binding, log.binding],
                constants: constants(
                    op.logits.columns, logits.offset, step.offset, token.offset, info(op.log).shape.columns),
                groups: (1, 1, 1), cost: DispatchCost(bytes: 4 * op.logits.columns))
        ]
    }
}
