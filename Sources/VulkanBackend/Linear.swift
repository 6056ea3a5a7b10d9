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
    /// Whether workgroups can divide the columns of a tile among themselves.
    var splitsColumns = false
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
            ?? LinearTile(name: "T64x64", groupRows: 64, tokens: 64, splitsColumns: true)
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
                    kernel: "linear \(weight.type.variant) TILE=\(tile.name)",
                    label: "linear \(weight.shape) \(weight.type.rawValue) x \(tokens)",
                    bindings: ends + [input.binding, window.operand.binding]
                        + (tile.takesNorm ? [normWeight?.binding ?? input.binding] : []),
                    texelBindings: loadsByLane ? [3, 4] : [],
                    specialization: tile.threads.map { [UInt32($0), norm == nil ? 0 : 1] }
                        ?? tile.matrixUnits?.specialization ?? [],
                    subgroupSize: tile.matrixUnits?.lanes, constants: arguments.constants,
                    groups: (tiles.0, tiles.1, tiles.2 * splits),
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

/// The push constants of a product: see `linear_arguments.glsl`.
private struct LinearArguments {
    struct Flags: OptionSet {
        let rawValue: Int

        static let bias = Flags(rawValue: 1)
        static let residual = Flags(rawValue: 2)
        static let gelu = Flags(rawValue: 4)
        /// The rows' second half is gated by the first.
        static let gated = Flags(rawValue: 8)
        /// The output is the sums of each split.
        static let split = Flags(rawValue: 16)
    }

    /// Where an operand starts in its binding, and what its rows and matrices are apart.
    struct Place {
        var offset = 0
        var rowStride = 0
        var batchStride = 0
    }

    var columns: Int
    var rows: Int
    var firstRow: Int
    var tokens: Int
    var weight: Place
    var input: Place
    var biasBatchStride: Int
    var residual: Place
    var output: Place
    var firstBatch: Int
    var flags: Flags
    var epsilon: Float
    var splits: Int

    /// Of the launch that leaves what `linear_sum` adds up.
    var leavingSplits: Self {
        var arguments = self
        arguments.firstRow = 0
        arguments.output = Place(rowStride: rows, batchStride: tokens * rows)
        arguments.flags = .split
        return arguments
    }

    /// In the shader's order.
    var constants: [UInt32] {
        let places = [weight, input].flatMap { [$0.offset, $0.rowStride, $0.batchStride] }
        let ends = [residual, output].flatMap { [$0.offset, $0.rowStride, $0.batchStride] }
        let numbers = [columns, rows, firstRow, tokens] + places + [biasBatchStride] + ends
        return (numbers + [firstBatch, flags.rawValue]).map { UInt32($0) } + [epsilon.bitPattern, UInt32(splits)]
    }
}

extension LinearArguments.Place {
    /// - Parameter offset: of the view in its binding.
    fileprivate init(_ offset: Int, _ view: TensorView) {
        self.init(offset: offset, rowStride: view.rowStride, batchStride: view.batchStride)
    }
}
