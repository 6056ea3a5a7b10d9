import Inference
import VulkanCompute

/// What the launches that touch rows of a KV-cache share.
extension DispatchEncoder {
    /// The token-major side of a cache access: its bindings and, where there are two, the scales.
    struct CacheRows {
        var rows: TensorView
        var rowsOffset: Int
        var scaleOffset = 0
        var scaleRowStride = 0
    }

    /// One launch for each window of heads that the device can bind.
    ///
    /// - Parameter bindings: the kernel's bindings, given the cache's.
    func cacheRows(
        _ kernel: String, _ cache: Tensor, _ access: BufferBinding.Access, position: TensorView, _ rows: CacheRows,
        bindings: (_ cache: BufferBinding, _ position: BufferBinding) -> [BufferBinding]
    ) throws -> [Dispatch] {
        let info = info(cache)
        let position = try operand(position, .read)
        return try windows(cache, access).map { window in
            guard window.rows.count == info.shape.rows else { throw oversizedHead(info) }
            let pairs = window.matrices.count * info.shape.columns / 2
            let elements = 2 * pairs * rows.rows.rows
            return Dispatch(
                kernel: "\(kernel) \(info.type.variant)", label: kernel,
                bindings: bindings(window.operand.binding, position.binding),
                constants: constants(
                    pairs, info.shape.columns / 2, window.matrices.lowerBound, window.operand.offset / 2,
                    info.shape.rowStride / 2, info.shape.batchStride / 2, info.shape.rows, position.offset,
                    rows.rowsOffset, rows.rows.rowStride, rows.scaleOffset, rows.scaleRowStride),
                groups: (pairs.groups(of: 32), rows.rows.rows, 1),
                cost: DispatchCost(bytes: elements * (4 + info.type.byteCount)))
        }
    }

    func oversizedHead(_ cache: TensorInfo) -> InferenceError {
        .badGraph(
            "\(cache.name): one head of \(cache.shape.rows) tokens exceeds what the device binds; "
                + "use a smaller --context or --kv-dtype f16")
    }
}
