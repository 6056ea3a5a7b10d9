import Inference
import VulkanCompute

extension DispatchEncoder {
    /// Workgroups that fill a large device.
    private static let manyGroups = 256

    private func groups(of tile: LinearTile, rows: Int) -> Int {
        let groups = rows.groups(of: tile.groupRows)
        return tile.threads == nil ? groups : min(groups, limits.maxComputeWorkGroupCount.x)
    }

    /// Among how many workgroups the columns are divided, for a product of too few tiles to fill a large device.
    private func splits(_ tile: LinearTile, _ groups: (x: Int, y: Int, z: Int), columns: Int) -> Int {
        guard tile.splitsColumns else { return 1 }
        // Each has to have enough to do, and what they leave to be added up.
        return max(1, min(Self.manyGroups / (groups.x * groups.y * groups.z), columns / 256, 8))
    }

    /// The constants of the kernel that computes `tile`.
    private func specialization(_ tile: LinearTile, _ weight: Tensor, takesNorm: Bool) -> [UInt32] {
        if let threads = tile.threads {
            return [UInt32(threads), takesNorm ? 1 : 0] + (tile.blocks.map { [UInt32($0)] } ?? [])
        }
        if let matrixUnits = tile.matrixUnits { return matrixUnits.specialization }
        guard loadsByLane else { return [] }
        return [isInterleaved(weight) ? 1 : 0, info(weight).shape.columns % 64 == 0 ? 1 : 0]
    }

    /// - Parameters:
    ///   - norm: the input is this norm of `op.input`.
    ///   - isGated: the output is the product's second half gated by its first, and half as wide.
    func encode(_ op: Linear, norm: RMSNorm? = nil, isGated: Bool = false) throws -> [Dispatch] {
        guard op.input.offset % 8 == 0 else {
            throw InferenceError.badGraph("linear: the input must start at a multiple of eight columns")
        }
        let weight = info(op.weight)
        let weightRowStride = weight.type.rowBytes(columns: weight.shape.columns) / weight.type.loadBytes
        let input = try operand(op.input, .read)
        let bias = try op.bias.map { try operand($0, .read) }
        let residual = try op.residual.map { try operand($0, .read) }
        let normWeight = try norm.map { try operand($0.weight, .read) }
        let output = try operand(op.output, .write)
        let tokens = op.input.rows
        let tile = tile(weight, tokens: tokens)
        var flags: LinearArguments.Flags = []
        if bias != nil { flags.insert(.bias) }
        if residual != nil { flags.insert(.residual) }
        if op.activation == .gelu { flags.insert(.gelu) }
        if isGated { flags.insert(.gated) }
        // Kernels want all bindings; an absent one is never read.
        let ends = [bias?.binding ?? input.binding, residual?.binding ?? input.binding, output.binding]

        return try windows(op.weight, .read).flatMap { window in
            let (matrices, rows) = (window.matrices.count, window.rows.count)
            let tiles = (groups(of: tile, rows: rows), tokens.groups(of: tile.tokens), matrices)
            let splits = splits(tile, tiles, columns: weight.shape.columns)
            let arguments = LinearArguments(
                columns: weight.shape.columns, rows: rows, firstRow: window.rows.lowerBound, tokens: tokens,
                weight: .init(
                    offset: window.operand.byteOffset / weight.type.loadBytes, rowStride: weightRowStride,
                    batchStride: weight.type.storedRows(weight.shape.rows) * weightRowStride),
                input: .init(
                    offset: input.offset / 4, rowStride: op.input.rowStride / 4, batchStride: op.input.batchStride / 4),
                biasBatchStride: op.bias.map { info($0).shape.batchStride } ?? 0,
                residual: op.residual.map { .init(residual?.offset ?? 0, $0) } ?? .init(),
                output: .init(output.offset, op.output), firstBatch: window.matrices.lowerBound, flags: flags,
                epsilon: norm?.epsilon ?? 0, splits: splits)
            func product(_ arguments: LinearArguments, _ ends: [BufferBinding]) -> Dispatch {
                let weightRows = matrices * rows
                return Dispatch(
                    kernel: "\(tile.kernel) \(weight.type.variant) \(tile.variant)",
                    label: "linear \(weight.shape) \(weight.type.rawValue) x \(tokens)",
                    bindings: ends + [input.binding, window.operand.binding]
                        + (tile.takesNorm ? [normWeight?.binding ?? input.binding] : []),
                    texelBindings: loadsByLane ? [3, 4] : [],
                    specialization: specialization(tile, op.weight, takesNorm: norm != nil),
                    subgroupSize: tile.matrixUnits?.lanes, constants: arguments.constants,
                    groups: loadsByLane ? (tiles.1, tiles.0, tiles.2) : (tiles.0, tiles.1, tiles.2 * splits),
                    cost: DispatchCost(
                        bytes: weightRows * weight.type.rowBytes(columns: weight.shape.columns)
                            + matrices * tokens * (weight.shape.columns + rows) * 4,
                        flops: 2 * weightRows * weight.shape.columns * tokens))
            }
            guard splits > 1 else { return [product(arguments, ends)] }

            let partials = try temporary.range(byteCount: 4 * matrices * splits * tokens * rows)
            return [
                product(
                    arguments.leavingSplits, [input.binding, input.binding, partials.with(.write)]),
                Dispatch(
                    kernel: "linear_sum", label: "linear_sum [\(matrices), \(rows)] x \(tokens)",
                    bindings: ends + [partials.with(.read)], constants: arguments.constants,
                    groups: ((isGated ? rows / 2 : rows).groups(of: 64), tokens, matrices),
                    cost: DispatchCost(bytes: 4 * matrices * (splits + 1) * tokens * rows)),
            ]
        }
    }
}
