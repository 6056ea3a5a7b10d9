import Inference
import VulkanCompute

extension DispatchEncoder {
    func encode(_ op: Tally) throws -> [Dispatch] {
        let counts = try operand(op.counts, .readWrite)
        let tokens = try operand(op.tokens, .read)
        // Without a count the binding is there but never read.
        let count = try op.count.map { try operand($0, .read) } ?? tokens
        let vocabulary = info(op.counts).shape.columns
        let clear = Dispatch(
            kernel: "tally STAGE=CLEAR", label: "tally", bindings: [counts.binding.with(.write)],
            constants: constants(vocabulary, 0, 0, 0, 0), groups: (vocabulary.groups(of: 128), 1, 1),
            cost: DispatchCost(bytes: 4 * vocabulary))
        let tally = Dispatch(
            kernel: "tally STAGE=COUNT", label: "tally", bindings: [counts.binding, tokens.binding, count.binding],
            constants: constants(
                vocabulary, op.tokens.columns, tokens.offset, count.offset, op.count == nil ? 0 : 1),
            groups: (op.tokens.columns.groups(of: 128), 1, 1), cost: DispatchCost(bytes: 12 * op.tokens.columns))
        return op.startsAnew ? [clear, tally] : [tally]
    }
}
