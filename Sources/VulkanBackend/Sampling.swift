import Inference
import VulkanCompute

extension DispatchEncoder {
    func encode(_ op: Penalize) throws -> [Dispatch] {
        let logits = try operand(op.logits, .readWrite)
        let counts = try operand(op.counts, .read)
        let penalties = [op.presence, op.frequency, op.repetition].map(\.bitPattern)
        return [
            Dispatch(
                kernel: "penalize", label: "penalize", bindings: [logits.binding, counts.binding],
                constants: constants(op.logits.columns, logits.offset, counts.offset) + penalties,
                groups: ((op.logits.columns + 127) / 128, 1, 1), cost: DispatchCost(bytes: 12 * op.logits.columns))
        ]
    }

    func encode(_ op: Sample) throws -> [Dispatch] {
        let logits = try operand(op.logits, .read)
        let seed = try operand(op.seed, .read)
        let step = try operand(op.step, .read)
        let weights = try operand(op.weights, .readWrite)
        let token = try operand(op.token, .write)
        let log = try operand(op.log, .write)
        let columns = op.logits.columns
        let sizes = constants(
            columns, logits.offset, seed.offset, step.offset, weights.offset, token.offset, info(op.log).shape.columns)
        let settings = [
            op.temperature.bitPattern, UInt32(min(op.topK ?? columns, columns)), op.topP.bitPattern, op.minP.bitPattern,
        ]
        return [
            Dispatch(
                kernel: "sample", label: "sample",
                bindings: [
                    logits.binding, seed.binding, step.binding, weights.binding, token.binding, log.binding,
                ],
                constants: sizes + settings, groups: (1, 1, 1), cost: DispatchCost(bytes: 8 * columns))
        ]
    }

    func encode(_ op: Tally) throws -> [Dispatch] {
        let token = try operand(op.token, .read)
        let counts = try operand(op.counts, .readWrite)
        return [
            Dispatch(
                kernel: "tally", label: "tally", bindings: [token.binding, counts.binding],
                constants: constants(token.offset, counts.offset, info(op.counts).shape.columns), groups: (1, 1, 1),
                cost: DispatchCost(bytes: 12))
        ]
    }
}
