import Inference
import VulkanCompute

extension DispatchEncoder {
    func encode(_ op: Advance) throws -> [Dispatch] {
        let counter = try operand(op.counter, .readWrite)
        return [
            Dispatch(
                kernel: "advance", label: "advance", bindings: [counter.binding],
                constants: constants(counter.offset, op.amount), groups: (1, 1, 1), cost: DispatchCost(bytes: 8))
        ]
    }
}
