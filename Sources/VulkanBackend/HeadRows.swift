import Inference
import VulkanCompute

/// What follows a product with queries, keys and values side by side, as one launch: both norms where the model has them,
/// the rotation, and the writes to both caches.
struct HeadRows {
    var queries: TensorView
    var keys: TensorView
    var values: TensorView
    /// The weights of the norms of every head; of queries and of keys, or of neither.
    var norms: (query: Tensor, key: Tensor, epsilon: Float)?
    var headDim: Int
    var table: Tensor
    var position: TensorView
    var keyCache: Tensor
    var valueCache: Tensor
    /// How many ops of the list this is.
    let opCount: Int

    /// The ops at the start of `ops`; nil where they are others, or their operands don't lie as one launch needs them.
    init?(_ ops: ArraySlice<Op>) {
        var found: [RMSNorm] = []
        while found.count < 2, case .rmsNorm(let norm)? = ops.dropFirst(found.count).first { found.append(norm) }
        let next = Array(ops.dropFirst(found.count).prefix(3))
        guard found.count != 1, next.count == 3, case .rope(let rope) = next[0],
            case .writeCache(let keyWrite) = next[1],
            case .writeCache(let valueWrite) = next[2], rope.input == rope.output
        else { return nil }
        keys = keyWrite.input
        values = valueWrite.input
        headDim = rope.headDim
        table = rope.table
        position = rope.position
        keyCache = keyWrite.cache
        valueCache = valueWrite.cache
        opCount = found.count + 3
        // Queries and keys are rotated together.
        guard rope.input.columns > keys.columns else { return nil }
        queries = rope.input.columns(0..<rope.input.columns - keys.columns)
        // A head's columns are taken in pairs of each half.
        guard keyWrite.position == position, valueWrite.position == position, headDim % 4 == 0,
            keys.columns == values.columns, Self.isBehind(keys, queries), Self.isBehind(values, keys)
        else { return nil }
        if found.count == 2 {
            let (query, key) = (found[0], found[1])
            guard query.input == queries, query.output == queries, key.input == keys, key.output == keys,
                query.groups * headDim == queries.columns, key.groups * headDim == keys.columns,
                query.epsilon == key.epsilon
            else { return nil }
            norms = (query.weight, key.weight, query.epsilon)
        }
    }

    /// Whether `view` holds the columns that follow `other`'s.
    private static func isBehind(_ view: TensorView, _ other: TensorView) -> Bool {
        view.tensor == other.tensor && view.offset == other.offset + other.columns && view.batch == 1
            && other.batch == 1 && view.rows == other.rows && view.rowStride == other.rowStride
    }
}

extension DispatchEncoder {
    /// - Returns: nil where the caches can't be bound as a whole, or the device has no kernel for it.
    func encode(_ heads: HeadRows) throws -> Dispatch? {
        let cache = info(heads.keyCache)
        guard let subgroupLanes, cache.type.blockFormat == nil else { return nil }
        let (keyWindows, valueWindows) = try (windows(heads.keyCache, .write), windows(heads.valueCache, .write))
        guard keyWindows.count == 1, valueWindows.count == 1, info(heads.valueCache).type == cache.type else {
            return nil
        }
        let (keyCache, valueCache) = (keyWindows[0].operand, valueWindows[0].operand)
        let (tokens, headDim) = (heads.queries.rows, heads.headDim)
        let headCount = heads.queries.columns / headDim
        let kvHeadCount = heads.keys.columns / headDim
        var all = heads.queries
        all.append(columns: heads.keys.columns + heads.values.columns)
        let rows = try operand(all, .readWrite)
        let table = try operand(heads.table, .read)
        let position = try operand(heads.position, .read)
        // Without norms the bindings are there but never read.
        let queryNorm = try heads.norms.map { try operand($0.query, .read) } ?? table
        let keyNorm = try heads.norms.map { try operand($0.key, .read) } ?? table
        let elements = tokens * all.columns
        return Dispatch(
            kernel: "head_rows \(cache.type.variant) LANES=\(subgroupLanes)", label: "head_rows x \(tokens)",
            bindings: [
                rows.binding, queryNorm.binding, keyNorm.binding, table.binding, position.binding, keyCache.binding,
                valueCache.binding,
            ],
            constants: constants(
                headCount, kvHeadCount, headDim, rows.offset, all.rowStride, info(heads.table).shape.rowStride,
                position.offset, keyCache.offset / 2, valueCache.offset / 2, cache.shape.rowStride / 2,
                cache.shape.batchStride / 2, cache.shape.rows, heads.norms == nil ? 0 : 1)
                + [(heads.norms?.epsilon ?? 0).bitPattern],
            groups: (headCount + 2 * kvHeadCount, tokens, 1),
            cost: DispatchCost(bytes: 8 * elements, flops: 10 * elements))
    }
}
