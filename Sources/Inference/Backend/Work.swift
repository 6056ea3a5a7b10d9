/// What a computation must do at least, to hold what it takes against what a device can do.
///
/// Bytes are those of weights, each touched once, and of cache rows, each read and written once; activations may stay on the
/// chip and count nothing. Operations are those of matrix products and attention, a multiply-add being two; what grows only with
/// the width of a token (norms, RoPE, activation functions, sampling) is left out.
public struct Work: Sendable, Hashable {
    public var bytes: Int
    /// Floating-point operations.
    public var flops: Int

    public init(bytes: Int = 0, flops: Int = 0) {
        self.bytes = bytes
        self.flops = flops
    }

    public static func + (a: Work, b: Work) -> Work {
        Work(bytes: a.bytes + b.bytes, flops: a.flops + b.flops)
    }
}

extension Decoder {
    /// The work of a prefill, or of a decode step, for one sequence.
    ///
    /// For n tokens after p that are cached, with l rows of logits, L layers run, H query heads of D columns, and weights of
    /// which w are in matrices that all tokens meet and v in those that only tokens with logits do, which are the last
    /// layer's after its keys and values:
    /// - bytes: the extent's weights, but those of v only where l > 0, and n rows of the embedding table, which only counts in
    ///   full where it is the head in use; keys and values of p rows read in each layer that attends, of n rows written in L;
    /// - flops: `2 n w + 2 l v`, the head `2 vocabulary hidden` for each row of logits, and attention `4 H D` for each pair
    ///   of a token and a row it sees: `n p + n (n + 1) / 2` of them in a layer, in the last one `l p + l (2 n - l + 1) / 2`.
    ///
    /// - Parameters:
    ///   - tokens: n.
    ///   - cached: p.
    ///   - logitRows: tokens whose logits are computed; 0 leaves the final norm and the head out.
    ///   - cache: where keys and values go.
    public func work(tokens: Int, after cached: Int = 0, logitRows: Int = 0, cache: KVCache) -> Work {
        let headRole: WeightSlot.Role = description.tiesEmbeddings ? .embedding : .head
        let lastLayer = extent.layerCount - 1
        var work = Work()
        for slot in description.weightSlots(extent) {
            let stored = weight(slot.role)
            switch slot.role {
            case headRole where logitRows > 0:
                work.bytes += stored.byteCount
                work.flops += 2 * logitRows * slot.shape.count
            case .embedding:
                work.bytes += tokens * (stored.byteCount / slot.shape.rows)
            case .head, .finalNorm:
                if logitRows > 0 { work.bytes += stored.byteCount }
            case .attentionOutput(lastLayer), .attentionOutputBias(lastLayer), .feedForwardNorm(lastLayer),
                .gateUp(lastLayer), .down(lastLayer):
                guard logitRows > 0 else { continue }
                work.bytes += stored.byteCount
                if !slot.isVector { work.flops += 2 * logitRows * slot.shape.count }
            default:
                work.bytes += stored.byteCount
                if !slot.isVector { work.flops += 2 * tokens * slot.shape.count }
            }
        }
        let attendingLayers = max(0, lastLayer) + (logitRows > 0 ? 1 : 0)
        work.bytes += 2 * cache.rowBytes * (cached * attendingLayers + tokens * extent.layerCount)
        let pairs = tokens * cached + tokens * (tokens + 1) / 2
        let lastPairs = logitRows * cached + logitRows * (2 * tokens - logitRows + 1) / 2
        work.flops += 4 * description.queryWidth * (pairs * max(0, lastLayer) + lastPairs)
        return work
    }
}

extension Fuser {
    /// The work of a fusion.
    ///
    /// For n tokens and w weights in the matrices of the open projections:
    /// - bytes: the weights; for each open projection n rows of the sharer's cache read, n of the receiver's read and written;
    /// - flops: `2 n w`.
    ///
    /// - Parameters:
    ///   - tokens: n.
    public func work(tokens: Int, sharerCache: KVCache, receiverCache: KVCache) -> Work {
        let rowBytes = sharerCache.rowBytes + 2 * receiverCache.rowBytes
        let weights = description.weightSlots.reduce(0) { $0 + ($1.isVector ? 0 : $1.shape.count) }
        return Work(
            bytes: weightBytes + tokens * description.open.count * rowBytes, flops: 2 * tokens * weights)
    }
}

extension KVCache {
    /// Bytes of a token's keys, or values, in one layer.
    fileprivate var rowBytes: Int { keys.first.map { $0.byteCount / capacity } ?? 0 }
}
