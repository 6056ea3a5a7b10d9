import Inference
import VulkanCompute

extension Sample {
    /// How many of the largest logits stay, as far as their number is limited.
    var keptLogits: Int { min(topK ?? logits.columns, logits.columns) }
}

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

    /// Logits that a workgroup chooses candidates from, or takes part in a choice with, of a row that is cut into slices.
    private static let sampledSliceLength = 2048
    /// Where barriers cost more than columns.
    private static let longSampledSliceLength = 16384

    func encode(_ op: Sample) throws -> [Dispatch] {
        let logits = try operand(op.logits, .read)
        let seed = try operand(op.seed, .read)
        let step = try operand(op.step, .read)
        let weights = try operand(op.weights, .readWrite)
        let token = try operand(op.token, .write)
        let log = try operand(op.log, .write)
        let logColumns = info(op.log).shape.columns
        let columns = op.logits.columns
        let topK = op.keptLogits
        let slices = columns.groups(of: Self.sampledSliceLength)
        func launch(
            _ stage: String, groups: Int, _ candidates: [BufferBinding] = [], specialization: [UInt32] = []
        ) -> Dispatch {
            Dispatch(
                kernel: "sample STAGE=\(stage)", label: "sample",
                bindings: [
                    logits.binding, seed.binding, step.binding, weights.binding, token.binding, log.binding,
                ] + candidates,
                specialization: specialization,
                constants: constants(
                    columns, logits.offset, seed.offset, step.offset, weights.offset, token.offset, logColumns)
                    + [op.temperature.bitPattern, UInt32(topK), op.topP.bitPattern, op.minP.bitPattern]
                    + constants(slices),
                groups: (groups, 1, 1), cost: DispatchCost(bytes: 8 * columns))
        }
        // The candidates of all slices must be much fewer than the tokens.
        if slices > 1, topK <= Self.sampledSliceLength / 8 {
            let candidates = try temporary.range(byteCount: 4 * slices * topK)
            return [
                launch(
                    "SLICE", groups: slices, [candidates.with(.write)],
                    specialization: [UInt32(Self.sampledSliceLength)]),
                launch("PICK", groups: 1, [candidates.with(.read)]),
            ]
        }
        let sampling = SamplingSlices(
            op: op, logits: logits, weights: weights, seed: seed, step: step, token: token, log: log,
            logColumns: logColumns, leastLength: loadsByLane ? Self.longSampledSliceLength : Self.sampledSliceLength)
        guard sampling.slices > 1 else { return [launch("WHOLE", groups: 1)] }
        return sampling.launches(try temporary.range(byteCount: sampling.workBytes))
    }
}
