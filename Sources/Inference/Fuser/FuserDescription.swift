/// The half of a projector that handles keys, or values; the two have separate weights of the same form.
public enum CacheHalf: String, Sendable, Hashable, CaseIterable {
    case key, value
}

/// A projector half whose gate is open: what is read, and which cache rows it changes.
public struct OpenProjection: Sendable, Hashable {
    public var receiverLayer: Int
    public var sharerLayer: Int
    public var half: CacheHalf

    public init(receiverLayer: Int, sharerLayer: Int, half: CacheHalf) {
        self.receiverLayer = receiverLayer
        self.sharerLayer = sharerLayer
        self.half = half
    }
}

/// A C2C fuser: every projector of one pair of sharer and receiver (arXiv 2510.03215, section 3).
///
/// All projectors of a fuser have one form, so those with open gates run as one batched job. Closed gates leave the
/// receiver's rows as they are and are neither loaded nor computed.
public struct FuserDescription: Sendable, Hashable {
    public var sharerKVHeadCount: Int
    public var sharerHeadDim: Int
    public var receiverKVHeadCount: Int
    public var receiverHeadDim: Int
    /// Width of the projector's hidden state.
    public var hiddenSize: Int
    /// Width inside its blocks; the scalar branch's is `hiddenSize`.
    public var intermediateSize: Int
    /// Blocks of the branch that ends in the projection (`num_layers - 2`).
    public var projectionBlockCount: Int
    /// The batch: matrix b of every weight belongs to `open[b]`.
    public var open: [OpenProjection]
    /// Projector halves in all, closed ones included.
    public var projectionCount: Int

    public init(
        sharerKVHeadCount: Int, sharerHeadDim: Int, receiverKVHeadCount: Int, receiverHeadDim: Int, hiddenSize: Int,
        intermediateSize: Int, projectionBlockCount: Int, open: [OpenProjection], projectionCount: Int
    ) {
        self.sharerKVHeadCount = sharerKVHeadCount
        self.sharerHeadDim = sharerHeadDim
        self.receiverKVHeadCount = receiverKVHeadCount
        self.receiverHeadDim = receiverHeadDim
        self.hiddenSize = hiddenSize
        self.intermediateSize = intermediateSize
        self.projectionBlockCount = projectionBlockCount
        self.open = open
        self.projectionCount = projectionCount
    }

    /// Columns of a sharer's token: all heads of its keys, or values.
    public var sharerWidth: Int { sharerKVHeadCount * sharerHeadDim }
    /// Columns of a receiver's token: all heads of its keys, or values.
    public var receiverWidth: Int { receiverKVHeadCount * receiverHeadDim }
    /// Sharer layers that must be run: up to the highest one an open gate reads.
    public var sharerLayerCount: Int { (open.map(\.sharerLayer).max() ?? -1) + 1 }

    /// Checks that the fuser was made for this pair.
    /// - Parameter name: what errors call the fuser.
    /// - Throws: `InferenceError.mismatch` saying which number differs.
    public func check(name: String, receiver: DecoderDescription, sharer: DecoderDescription) throws {
        let shapes: [(String, Int, Int)] = [
            ("receiver KV heads", receiverKVHeadCount, receiver.kvHeadCount),
            ("columns of a receiver head", receiverHeadDim, receiver.headDim),
            ("sharer KV heads", sharerKVHeadCount, sharer.kvHeadCount),
            ("columns of a sharer head", sharerHeadDim, sharer.headDim),
        ]
        for (what, wanted, found) in shapes where wanted != found {
            throw InferenceError.mismatch(
                "\(name) was made for \(wanted) \(what), the model has \(found); is it for another pair of models?")
        }
        let highest = open.map(\.receiverLayer).max() ?? 0
        guard highest < receiver.layerCount else {
            throw InferenceError.mismatch(
                "\(name) fuses receiver layer \(highest), the receiver has \(receiver.layerCount) layers; "
                    + "is it for another receiver?")
        }
        guard sharerLayerCount <= sharer.layerCount else {
            throw InferenceError.mismatch(
                "\(name) reads sharer layer \(sharerLayerCount - 1), the sharer has "
                    + "\(sharer.layerCount) layers; is it for another sharer?")
        }
    }
}
