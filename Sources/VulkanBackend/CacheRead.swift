import Inference

extension DispatchEncoder {
    func encode(_ op: CacheRead) throws -> [Dispatch] {
        let output = try operand(op.output, .write)
        return try cacheRows(
            "read_cache", op.cache, .read, position: op.position,
            CacheRows(rows: op.output, rowsOffset: output.offset)
        ) { cache, position in [cache, position, output.binding] }
    }
}
