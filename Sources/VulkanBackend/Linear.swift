import Inference
import VulkanCompute

extension DispatchEncoder {
    func encode(_ op: Linear) throws -> [Dispatch] {
        guard op.input.offset % 8 == 0 else {
            throw InferenceError.badGraph("linear: the input must start at a multiple of eight columns")
        }
        let weight = info(op.weight)
        let input = try operand(op.input, .read)
        let bias = try op.bias.map { try operand($0, .read) }
        let residual = try op.residual.map { try operand($0, .read) }
        let output = try operand(op.output, .write)
        let tokens = op.input.rows
        // Decode reads each weight once; there a wide tile of tokens would be idle.
        let tile: (name: String, rows: Int, tokens: Int) =
            switch (tokens, loadsByLane) {
            case (1, false): ("4x1", 4, 1)
            case (_, false): ("8x8", 8, 8)
            case (1, true): ("L8x1", 8, 1)
            case (...8, true): ("L8x8", 8, 8)
            case (_, true): ("L8x16", 8, 16)
            }
        var flags = 0
        if bias != nil { flags |= 1 }
        if residual != nil { flags |= 2 }
        if op.activation == .gelu { flags |= 4 }

        return try windows(op.weight, .read).map { window in
            let matrices = window.matrices.count
            let weightCount = matrices * window.rows.count * weight.shape.columns
            let activations = matrices * tokens * (weight.shape.columns + window.rows.count)
            return Dispatch(
                kernel: "linear \(weight.type.variant) TILE=\(tile.name)",
                label: "linear \(weight.shape) \(weight.type.rawValue) x \(tokens)",
                // Kernels want all bindings; an absent one is never read.
                bindings: [
                    input.binding, window.operand.binding, bias?.binding ?? input.binding,
                    residual?.binding ?? input.binding, output.binding,
                ],
                texelBindings: loadsByLane ? [0, 1] : [],
                constants: constants(
                    weight.shape.columns, window.rows.count, window.rows.lowerBound, tokens,
                    window.operand.offset / 8, weight.shape.rowStride / 8, weight.shape.batchStride / 8,
                    input.offset / 4, op.input.rowStride / 4, op.input.batchStride / 4,
                    op.bias.map { info($0).shape.batchStride } ?? 0,
                    residual?.offset ?? 0, op.residual?.rowStride ?? 0, op.residual?.batchStride ?? 0,
                    output.offset, op.output.rowStride, op.output.batchStride, window.matrices.lowerBound, flags),
                groups: (window.rows.count.groups(of: 8 * tile.rows), tokens.groups(of: tile.tokens), matrices),
                cost: DispatchCost(
                    bytes: weightCount * weight.type.byteCount + activations * 4, flops: 2 * weightCount * tokens))
        }
    }
}
