import Inference
import VulkanCompute

extension DispatchEncoder {
    func encode(_ op: Linear) throws -> [Dispatch] {
        guard op.input.offset % 8 == 0 else {
            throw InferenceError.badGraph("linear: the input must start at a multiple of eight columns")
        }
        let weight = info(op.weight)
        let weightRowBytes = weight.type.rowBytes(columns: weight.shape.columns)
        let weightRowStride = weightRowBytes / weight.type.loadBytes
        let input = try operand(op.input, .read)
        let bias = try op.bias.map { try operand($0, .read) }
        let residual = try op.residual.map { try operand($0, .read) }
        let output = try operand(op.output, .write)
        let tokens = op.input.rows
        // Decode reads each weight once; there a wide tile of tokens would be idle.
        let tile: (rows: Int, tokens: Int) =
            switch (tokens, loadsByLane) {
            case (1, false): (4, 1)
            case (1, true): (8, 1)
            case (9..., true): (8, 32)
            default: (8, 8)
            }
        var flags = 0
        if bias != nil { flags |= 1 }
        if residual != nil { flags |= 2 }
        if op.activation == .gelu { flags |= 4 }

        return try windows(op.weight, .read).map { window in
            let matrices = window.matrices.count
            let weightRows = matrices * window.rows.count
            let activations = matrices * tokens * (weight.shape.columns + window.rows.count)
            return Dispatch(
                kernel: "linear \(weight.type.variant) TILE=\(tile.rows)x\(tile.tokens)",
                label: "linear \(weight.shape) \(weight.type.rawValue) x \(tokens)",
                // Kernels want all bindings; an absent one is never read.
                bindings: [
                    input.binding, window.operand.binding, bias?.binding ?? input.binding,
                    residual?.binding ?? input.binding, output.binding,
                ],
                constants: constants(
                    weight.shape.columns, window.rows.count, window.rows.lowerBound, tokens,
                    window.operand.byteOffset / weight.type.loadBytes, weightRowStride,
                    weight.type.storedRows(weight.shape.rows) * weightRowStride,
                    input.offset / 4, op.input.rowStride / 4, op.input.batchStride / 4,
                    op.bias.map { info($0).shape.batchStride } ?? 0,
                    residual?.offset ?? 0, op.residual?.rowStride ?? 0, op.residual?.batchStride ?? 0,
                    output.offset, op.output.rowStride, op.output.batchStride, window.matrices.lowerBound, flags),
                groups: (window.rows.count.groups(of: 32 * tile.rows), tokens.groups(of: tile.tokens), matrices),
                cost: DispatchCost(
                    bytes: weightRows * weightRowBytes + activations * 4,
                    flops: 2 * weightRows * weight.shape.columns * tokens))
        }
    }
}
