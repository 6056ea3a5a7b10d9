import Inference
import VulkanCompute

/// What a workgroup of `linear` computes.
struct LinearTile {
    /// As the kernel's variants are called.
    var name: String
    /// Rows of the weight.
    var groupRows: Int
    var tokens: Int
    /// Invocations of a workgroup where the kernel leaves them open.
    var threads: Int?
    /// What the kernel multiplies with, if it does with these.
    var matrixUnits: MatrixUnits?

    /// Whether the kernel can take its input as a norm of what is bound.
    var takesNorm: Bool { threads != nil }
}

extension DispatchEncoder {
    func tile(_ weight: TensorInfo, tokens: Int) -> LinearTile {
        if loadsByLane {
            switch tokens {
            case 1: return LinearTile(name: "L8x1", groupRows: 64, tokens: 1)
            case ...8: return LinearTile(name: "L8x8", groupRows: 64, tokens: 8)
            default: return LinearTile(name: "L8x16", groupRows: 64, tokens: 16)
            }
        }
        if tokens <= 8, limits.minSubgroupSize >= 4 { return subgroupTile(weight, tokens: tokens) }
        return matrixUnits?.tile(weight.shape, tokens: tokens)
            ?? LinearTile(name: "T64x64", groupRows: 64, tokens: 64)
    }

    /// The tile of few tokens, with as many invocations as have something to load, so that a small weight fills the device too.
    private func subgroupTile(_ weight: TensorInfo, tokens: Int) -> LinearTile {
        let eights = weight.shape.columns.groups(of: 8)
        let loads: Int
        let groupRows: Int
        switch (tokens, weight.type.blockFormat) {
        case (1, let format?):
            let eightsOfUnit = BlockFormat.unitBytes / format.bits
            groupRows = BlockFormat.tileRows
            loads = groupRows * eights / eightsOfUnit / 4
        case (1, nil):
            groupRows = 2
            loads = eights / 4
        default:
            groupRows = 4
            loads = eights
        }
        return LinearTile(
            name: tokens == 1 ? "S1" : "S8", groupRows: groupRows, tokens: tokens == 1 ? 1 : 8,
            threads: min(128, max(32, loads & ~31)))
    }

    private func groups(of tile: LinearTile, rows: Int) -> Int {
        let groups = rows.groups(of: tile.groupRows)
        return tile.threads == nil ? groups : min(groups, limits.maxComputeWorkGroupCount.x)
    }

    /// - Parameters:
    ///   - norm: the input is this norm of `op.input`.
    ///   - isGated: the output is the product's second half gated by its first, and half as wide.
    func encode(_ op: Linear, norm: RMSNorm? = nil, isGated: Bool = false) throws -> [Dispatch] {
        guard op.input.offset % 8 == 0 else {
            throw InferenceError.badGraph("linear: the input must start at a multiple of eight columns")
        }
        let weight = info(op.weight)
        let weightRowBytes = weight.type.rowBytes(columns: weight.shape.columns)
        let weightRowStride = weightRowBytes / weight.type.loadBytes
        let input = try operand(op.input, .read)
        let bias = try op.bias.map { try operand($0, .read) }
        let residual = try op.residual.map { try operand($0, .read) }
        let normWeight = try norm.map { try operand($0.weight, .read) }
        let output = try operand(op.output, .write)
        let tokens = op.input.rows
        let tile = tile(weight, tokens: tokens)
        var flags = 0
        if bias != nil { flags |= 1 }
        if residual != nil { flags |= 2 }
        if op.activation == .gelu { flags |= 4 }
        if isGated { flags |= 8 }

        return try windows(op.weight, .read).map { window in
            let matrices = window.matrices.count
            let weightRows = matrices * window.rows.count
            let activations = matrices * tokens * (weight.shape.columns + window.rows.count)
            return Dispatch(
                kernel: "linear \(weight.type.variant) TILE=\(tile.name)",
                label: "linear \(weight.shape) \(weight.type.rawValue) x \(tokens)",
                // Kernels want all bindings; an absent one is never read.
                bindings: [
                    input.binding, window.operand.binding, bias?.binding ?? input.binding,
                    residual?.binding ?? input.binding, output.binding,
                ] + (tile.takesNorm ? [normWeight?.binding ?? input.binding] : []),
                texelBindings: loadsByLane ? [0, 1] : [],
                specialization: tile.threads.map { [UInt32($0), norm == nil ? 0 : 1] }
                    ?? tile.matrixUnits?.specialization ?? [],
                subgroupSize: tile.matrixUnits?.lanes,
                constants: constants(
                    weight.shape.columns, window.rows.count, window.rows.lowerBound, tokens,
                    window.operand.byteOffset / weight.type.loadBytes, weightRowStride,
                    weight.type.storedRows(weight.shape.rows) * weightRowStride,
                    input.offset / 4, op.input.rowStride / 4, op.input.batchStride / 4,
                    op.bias.map { info($0).shape.batchStride } ?? 0,
                    residual?.offset ?? 0, op.residual?.rowStride ?? 0, op.residual?.batchStride ?? 0,
                    output.offset, op.output.rowStride, op.output.batchStride, window.matrices.lowerBound, flags)
                    + [(norm?.epsilon ?? 0).bitPattern],
                groups: (
                    groups(of: tile, rows: window.rows.count), tokens.groups(of: tile.tokens), matrices
                ),
                cost: DispatchCost(
                    bytes: weightRows * weightRowBytes + activations * 4,
                    flops: 2 * weightRows * weight.shape.columns * tokens))
        }
    }
}
