import Inference
import VulkanCompute

/// How the workgroups of a launch divide the rows and keys of KV heads.
private struct AttentionGroups {
    /// The kernel's name, and its variant but for the cache's type.
    var kernel: (name: String, variant: String)
    /// Rows of a workgroup.
    var rows: Int
    var specialization: [UInt32] = []
    /// Invocations of each subgroup, where the kernel relies on it.
    var subgroupSize: Int?
    /// The most workgroups among which the keys of a group of rows are divided; nil where the kernel takes all as one.
    var slices: Int?

    /// Workgroups that fill a large device.
    private static let many = 256
    /// The most rows of a KV head that are few.
    private static let fewRows = 16
    /// Keys that a workgroup takes at once.
    private static let blockKeys = 64
    /// With more slices, merging them would take longer than to sum them up.
    private static let mostSlices = 64

    /// For devices that load lane by lane.
    static func byLane(rows: Int, headDim: Int) -> Self {
        let headColumns = headDim <= 64 ? 64 : headDim <= 128 ? 128 : 256
        let groupRows = rows <= 2 ? 2 : 8
        return Self(kernel: ("attention_lanes", " ROWS=\(groupRows) MAX_HEAD_DIM=\(headColumns)"), rows: groupRows)
    }

    /// For all others.
    ///
    /// - Parameters:
    ///   - shufflesEights: see `VulkanBackend`.
    ///   - matrixUnits: what many rows run on, where they can.
    static func sliced(
        rows: Int, heads: Int, cache: TensorInfo, shufflesEights: Bool, matrixUnits: MatrixUnits?
    ) -> Self {
        // What each of eight or sixteen lanes has of a row's columns.
        let laneColumns = cache.shape.columns.groups(of: 64)
        var groups = Self(kernel: ("attention", ""), rows: 32, specialization: [UInt32(laneColumns)])
        if shufflesEights, rows <= fewRows {
            // As many rows as leave a lane registers for their sums.
            let groupRows = min(rows, 8 / laneColumns)
            groups = Self(
                kernel: ("attention_slices", ""), rows: groupRows,
                specialization: [UInt32(groupRows), UInt32(laneColumns)])
        } else if shufflesEights, let matrixUnits, let onUnits = Self.onMatrixUnits(matrixUnits, cache: cache) {
            groups = onUnits
        }
        let wanted = many.groups(of: rows.groups(of: groups.rows) * heads)
        groups.slices = min(wanted, mostSlices, cache.shape.rows.groups(of: blockKeys))
        return groups
    }

    /// - Returns: nil for a cache that they can't take as it is, or whose blocks exceed 32 KiB of shared memory.
    private static func onMatrixUnits(_ units: MatrixUnits, cache: TensorInfo) -> Self? {
        let (shape, headDim) = (units.shape, cache.shape.columns)
        guard [.f16, .bf16].contains(cache.type), headDim <= 128, [8, 16].contains(shape.m) else { return nil }
        let subgroups = 4
        let part = max(shape.n, shape.k)
        return Self(
            kernel: ("attention_matrix_units", " UNITS=\(units.variant)"), rows: subgroups * shape.m,
            specialization: units.specialization + [
                UInt32(subgroups * units.lanes), UInt32(headDim.groups(of: part) * part),
            ],
            subgroupSize: units.lanes)
    }
}

extension DispatchEncoder {
    func encode(_ op: Attention) throws -> [Dispatch] {
        let cache = info(op.keys)
        let headDim = cache.shape.columns
        guard headDim % 8 == 0, headDim <= 256 else {
            throw InferenceError.badGraph(
                "attention: heads have \(headDim) columns; supported are multiples of 8 up to 256")
        }
        let queries = try operand(op.queries, .read)
        let position = try operand(op.position, .read)
        // Without padding the binding is there but never read.
        let padding = try op.padding.map { try operand($0, .read) } ?? position
        let output = try operand(op.output, .write)
        let groupSize = op.heads / cache.shape.batch
        let tokens = op.queries.rows
        let rows = tokens * groupSize
        // Texels hold four columns of a query.
        let isByLane = loadsByLane && op.queries.offset % 4 == 0
        return try zip(windows(op.keys, .read), windows(op.values, .read)).map { keys, values in
            guard keys.rows.count == cache.shape.rows else { throw oversizedHead(cache) }
            let sizes = constants(
                tokens, groupSize, headDim, keys.matrices.lowerBound, keys.operand.byteOffset / cache.type.loadBytes,
                cache.type.rowBytes(columns: headDim) / cache.type.loadBytes,
                cache.type.matrixBytes(of: cache.shape) / cache.type.loadBytes, cache.shape.rows)
            let places = constants(
                position.offset, queries.offset, op.queries.rowStride, output.offset, op.output.rowStride,
                padding.offset, op.padding == nil ? 0 : 1, op.firstToken)
            let heads = keys.matrices.count
            let groups =
                isByLane
                ? AttentionGroups.byLane(rows: rows, headDim: headDim)
                : .sliced(
                    rows: rows, heads: heads, cache: cache, shufflesEights: shufflesEights, matrixUnits: matrixUnits)
            return Dispatch(
                kernel: "\(groups.kernel.name) \(cache.type.variant)\(groups.kernel.variant)",
                label: "attention x \(tokens)",
                bindings: [
                    queries.binding, keys.operand.binding, values.operand.binding, position.binding, padding.binding,
                    output.binding,
                ] + (try sliceBindings(groups, rows: rows, heads: heads, headDim: headDim)),
                texelBindings: isByLane ? [0, 1, 2] : [], specialization: groups.specialization,
                subgroupSize: groups.subgroupSize, constants: sizes + [op.scale.bitPattern] + places,
                groups: (rows.groups(of: groups.rows), heads, groups.slices ?? 1),
                // Of the run's own tokens: profiles and recorded commands don't know how far the cache is filled.
                cost: DispatchCost(
                    bytes: 8 * tokens * op.heads * headDim,
                    flops: 2 * tokens * (tokens + 1) * op.heads * headDim),
                cached: locations[op.position.tensor.id]?.tensor.map { position in
                    let costOfRow = DispatchCost(
                        bytes: 2 * heads * cache.type.rowBytes(columns: headDim),
                        flops: 4 * tokens * op.heads * headDim)
                    return (costOfRow, position)
                })
        }
    }

    /// What workgroups hand on to the one that merges their slices: partial results, and counters of those that are done.
    /// A single slice leaves both alone, but the kernel could write them.
    private func sliceBindings(_ groups: AttentionGroups, rows: Int, heads: Int, headDim: Int) throws -> [BufferBinding]
    {
        guard let slices = groups.slices else { return [] }
        let rowGroups = slices == 1 ? 1 : rows.groups(of: groups.rows) * heads
        // Sums and, for each row, a four with their maximum and weights.
        let partialBytes = rowGroups * slices * groups.rows * (headDim / 4 + 1) * 16
        return [try temporary.range(byteCount: partialBytes), try counters.range(byteCount: 4 * rowGroups)]
    }
}
