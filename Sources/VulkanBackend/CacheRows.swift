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
            // What one invocation takes of a head, and what the cache's offsets count.
            let spanColumns = info.type.blockFormat == nil ? 2 : 2 * BlockFormat.columns
            let unitBytes = info.type.blockFormat == nil ? 2 * info.type.byteCount : BlockFormat.unitBytes
            let spansOfHead = info.shape.columns.groups(of: spanColumns)
            let spans = window.matrices.count * spansOfHead
            let rowBytes = info.type.rowBytes(columns: info.shape.columns)
            return Dispatch(
                kernel: "\(kernel) \(info.type.variant)", label: kernel,
                bindings: bindings(window.operand.binding, position.binding),
                constants: constants(
                    spans, spansOfHead, info.shape.columns, window.matrices.lowerBound,
                    window.operand.byteOffset / unitBytes, rowBytes / unitBytes,
                    info.type.matrixBytes(of: info.shape) / unitBytes, info.shape.rows, position.offset,
                    rows.rowsOffset, rows.rows.rowStride, rows.scaleOffset, rows.scaleRowStride),
                groups: (spans.groups(of: 32), rows.rows.rows, 1),
                cost: DispatchCost(
                    bytes: window.matrices.count * rows.rows.rows * (4 * info.shape.columns + rowBytes)))
        }
    }

    func oversizedHead(_ cache: TensorInfo) -> InferenceError {
        .badGraph(
            "\(cache.name): one head of \(cache.shape.rows) tokens exceeds what the device binds; "
                + "use a smaller --context or --kv-dtype f16")
    }
}
