import Inference

extension DispatchEncoder {
    func encode(_ op: GatedAdd) throws -> [Dispatch] {
        let projected = try operand(op.projected, .read)
        let scale = try operand(op.scale, .read)
        return try cacheRows(
            "gated_add", op.cache, .readWrite, position: op.position,
            CacheRows(
                rows: op.projected, rowsOffset: projected.offset, scaleOffset: scale.offset,
                scaleRowStride: op.scale.rowStride)
        ) { cache, position in [projected.binding, scale.binding, position, cache] }
    }
}
