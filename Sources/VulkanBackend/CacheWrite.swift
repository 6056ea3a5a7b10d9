import Inference

extension DispatchEncoder {
    func encode(_ op: CacheWrite) throws -> [Dispatch] {
        let input = try operand(op.input, .read)
        return try cacheRows(
            "write_cache", op.cache, .write, position: op.position,
            CacheRows(rows: op.input, rowsOffset: input.offset)
        ) { cache, position in [input.binding, position, cache] }
    }
}
