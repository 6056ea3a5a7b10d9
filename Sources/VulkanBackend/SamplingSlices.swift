import Inference
import VulkanCompute

/// The launches of `sample_slices`: for large vocabularies, with any limits.
struct SamplingSlices {
    /// As many as a workgroup has lanes.
    private static let mostSlices = 128
    private static let digits = 8
    private static let bins = 16

    /// As the shader numbers them.
    private enum Limit: Int {
        case topK = 1
        case topP = 2
    }

    let op: Sample
    let logits, weights, seed, step, token, log: DispatchEncoder.Operand
    let logColumns: Int
    /// Logits of a slice, unless there were too many slices.
    let leastLength: Int

    var slices: Int { columns.groups(of: sliceLength) }

    private var columns: Int { op.logits.columns }
    private var sliceLength: Int { max(leastLength, columns.groups(of: Self.mostSlices)) }

    private var limits: [Limit] { (op.keptLogits < columns ? [.topK] : []) + (op.topP < 1 ? [.topP] : []) }

    /// What slices leave for the next launch.
    var workBytes: Int { 4 * (3 * Self.digits + slices * (3 + Self.digits * Self.bins)) }

    func launches(_ work: BufferBinding) -> [Dispatch] {
        let logits = logits.binding
        let weights = weights.binding
        var launches = [
            launch("MAX", [work.with(.write), logits]),
            launch("WEIGHT", [work, logits, weights], next: limits.first),
        ]
        for (index, limit) in limits.enumerated() {
            for digit in (0..<Self.digits - 1).reversed() {
                launches.append(launch("DIGIT", [work, logits, weights.with(.read)], limit: limit, digit: digit))
            }
            launches.append(
                launch("DROP", [work, logits, weights], limit: limit, next: limits.dropFirst(index + 1).first))
        }
        launches.append(
            launch(
                "DRAW",
                [
                    work.with(.read), weights.with(.read), seed.binding, step.binding, token.binding, log.binding,
                ], groups: 1))
        return launches
    }

    private func launch(
        _ stage: String, _ bindings: [BufferBinding], limit: Limit? = nil, digit: Int = 0, next: Limit? = nil,
        groups: Int? = nil
    ) -> Dispatch {
        Dispatch(
            kernel: "sample_slices STAGE=\(stage)", label: "sample", bindings: bindings,
            constants: constants(columns, slices, sliceLength, logits.offset, weights.offset)
                + [op.temperature.bitPattern, UInt32(op.keptLogits), op.topP.bitPattern, op.minP.bitPattern]
                + constants(limit?.rawValue ?? 0, digit, next?.rawValue ?? 0)
                + constants(seed.offset, step.offset, token.offset, logColumns),
            groups: (groups ?? slices, 1, 1), cost: DispatchCost(bytes: 4 * columns))
    }
}
