import Inference
import VulkanCompute

/// How the workgroups of an attention kernel divide the rows and keys of a KV head.
private struct AttentionGroups {
    /// The kernel's name and variant, but for the cache's type.
    var kernel: (name: String, variant: String)
    /// Of queries, in a workgroup.
    var rows: Int
    var specialization: [UInt32] = []
    /// Workgroups among which the keys of a group of rows are divided.
    var slices = 1
    var bindings: [BufferBinding] = []
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
                padding.offset, op.padding == nil ? 0 : 1)
            let groups = try attentionGroups(
                rows: rows, heads: keys.matrices.count, cache.shape, isByLane: isByLane, unused: position.binding)
            return Dispatch(
                kernel: "\(groups.kernel.name) \(cache.type.variant)\(groups.kernel.variant)",
                label: "attention x \(tokens)",
                bindings: [
                    queries.binding, keys.operand.binding, values.operand.binding, position.binding, padding.binding,
                    output.binding,
                ] + groups.bindings,
                texelBindings: isByLane ? [0, 1, 2] : [], specialization: groups.specialization,
                constants: sizes + [op.scale.bitPattern] + places,
                groups: (rows.groups(of: groups.rows), keys.matrices.count, groups.slices),
                // Of the run's own tokens; how far the cache is filled is only known on the device.
                cost: DispatchCost(
                    bytes: 8 * tokens * op.heads * headDim,
                    flops: 2 * tokens * (tokens + 1) * op.heads * headDim))
        }
    }

    /// - Parameters:
    ///   - heads: KV heads of the launch.
    ///   - unused: what is bound where a kernel's binding is not used.
    private func attentionGroups(
        rows: Int, heads: Int, _ cache: TensorShape, isByLane: Bool, unused: BufferBinding
    ) throws -> AttentionGroups {
        if isByLane {
            let headColumns = cache.columns <= 64 ? 64 : cache.columns <= 128 ? 128 : 256
            let groupRows = rows <= 2 ? 2 : 8
            return AttentionGroups(
                kernel: ("attention_lanes", " ROWS=\(groupRows) MAX_HEAD_DIM=\(headColumns)"), rows: groupRows)
        }
        guard mergesSlices, rows <= AttentionSlices.mostRows else {
            return AttentionGroups(kernel: ("attention", " ROWS=8"), rows: 8)
        }
        let slices = AttentionSlices(rows: rows, heads: heads, cache)
        let partials = slices.count == 1 ? unused : try temporary.range(byteCount: slices.partialBytes)
        let counters = slices.count == 1 ? unused : try counters.range(byteCount: 4 * slices.groups)
        return AttentionGroups(
            kernel: ("attention_slices", ""), rows: slices.groupRows,
            specialization: [UInt32(slices.groupRows), UInt32(slices.laneEights)], slices: slices.count,
            bindings: [partials, counters])
    }
}

/// How few rows are divided in slices of keys: see `attention_slices.comp`.
private struct AttentionSlices {
    /// With more, workgroups that hold more rows read less.
    static let mostRows = 32
    /// Workgroups that fill a large device.
    private static let manyGroups = 256
    /// Keys that a workgroup takes at once.
    private static let blockKeys = 64
    /// Slices that the kernel has room to merge.
    private static let mostSlices = 64

    /// Eights of columns that each of eight lanes has.
    let laneEights: Int
    /// Rows of a workgroup; as many as leave a lane registers for their sums.
    let groupRows: Int
    /// Groups of rows, of all heads.
    let groups: Int
    /// Slices of each.
    let count: Int
    /// Of sums and, for each row, a four with their maximum and weights.
    let partialBytes: Int

    init(rows: Int, heads: Int, _ cache: TensorShape) {
        laneEights = cache.columns.groups(of: 64)
        groupRows = min(rows, 8 / laneEights)
        groups = rows.groups(of: groupRows) * heads
        let wanted = min(Self.manyGroups.groups(of: groups), Self.mostSlices)
        count = min(wanted, cache.rows.groups(of: Self.blockKeys))
        partialBytes = groups * count * groupRows * (cache.columns / 4 + 1) * 16
    }
}
