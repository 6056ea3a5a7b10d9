import Inference
import VulkanCompute

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
        let rowsPerGroup = rows <= 2 ? 2 : 8
        // Texels hold four columns of a query.
        let isByLane = loadsByLane && op.queries.offset % 4 == 0
        let form = !isByLane ? "ANY" : headDim <= 64 ? "L64" : headDim <= 128 ? "L128" : "L256"
        return try zip(windows(op.keys, .read), windows(op.values, .read)).map { keys, values in
            guard keys.rows.count == cache.shape.rows else { throw oversizedHead(cache) }
            let sizes = constants(
                tokens, groupSize, headDim, keys.matrices.lowerBound, keys.operand.offset, cache.shape.rowStride,
                cache.shape.batchStride, cache.shape.rows)
            let places = constants(
                position.offset, queries.offset, op.queries.rowStride, output.offset, op.output.rowStride,
                padding.offset, op.padding == nil ? 0 : 1)
            return Dispatch(
                kernel: "attention \(cache.type.variant) ROWS=\(rowsPerGroup) HEADS=\(form)",
                label: "attention x \(tokens)",
                bindings: [
                    queries.binding, keys.operand.binding, values.operand.binding, position.binding, padding.binding,
                    output.binding,
                ],
                texelBindings: isByLane ? [0, 1, 2] : [], constants: sizes + [op.scale.bitPattern] + places,
                groups: (rows.groups(of: rowsPerGroup), keys.matrices.count, 1),
                // Of the run's own tokens; how far the cache is filled is only known on the device.
                cost: DispatchCost(
                    bytes: 8 * tokens * op.heads * headDim,
                    flops: 2 * tokens * (tokens + 1) * op.heads * headDim))
        }
    }
}
