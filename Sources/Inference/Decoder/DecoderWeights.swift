/// One stored tensor that a decoder needs.
public struct WeightSlot: Sendable, Hashable {
    /// The checkpoint's tensors it is made of, stacked by rows.
    public enum Role: Sendable, Hashable {
        case embedding, finalNorm, head
        case attentionNorm(layer: Int), queryKeyValue(layer: Int), queryKeyValueBias(layer: Int)
        case queryNorm(layer: Int), keyNorm(layer: Int)
        case attentionOutput(layer: Int), attentionOutputBias(layer: Int)
        case feedForwardNorm(layer: Int), gateUp(layer: Int), down(layer: Int)
    }

    public var role: Role
    public var shape: TensorShape
    /// Norms and biases are kept in float32, whatever the checkpoint says; they are small and kernels stay simple.
    public var isVector: Bool

    init(_ role: Role, _ shape: TensorShape, isVector: Bool = false) {
        self.role = role
        self.shape = shape
        self.isVector = isVector
    }
}

/// Which part of a decoder is run: a receiver in full, a sharer only as far as its cache is read.
public struct DecoderExtent: Sendable, Hashable {
    /// Layers run, from the first one.
    public var layerCount: Int
    /// Whether the last of them stops after its keys and values.
    public var endsAtCache: Bool
    /// Whether the final norm and the LM head follow.
    public var hasHead: Bool

    /// The whole model.
    public static func full(_ description: DecoderDescription) -> DecoderExtent {
        DecoderExtent(layerCount: description.layerCount, endsAtCache: false, hasHead: true)
    }

    /// Just what fills the caches of the first `layerCount` layers.
    public static func cacheOnly(layerCount: Int) -> DecoderExtent {
        DecoderExtent(layerCount: layerCount, endsAtCache: true, hasHead: false)
    }
}

extension DecoderDescription {
    /// Every weight that running `extent` needs, in the order it is used.
    public func weightSlots(_ extent: DecoderExtent) -> [WeightSlot] {
        let vector = { TensorShape(columns: $0) }
        let matrix = { TensorShape(rows: $0, columns: $1) }
        var slots = [WeightSlot(.embedding, matrix(vocabularySize, hiddenSize))]
        for layer in 0..<extent.layerCount {
            slots.append(WeightSlot(.attentionNorm(layer: layer), vector(hiddenSize), isVector: true))
            slots.append(WeightSlot(.queryKeyValue(layer: layer), matrix(queryWidth + 2 * kvWidth, hiddenSize)))
            if hasAttentionBias {
                slots.append(
                    WeightSlot(.queryKeyValueBias(layer: layer), vector(queryWidth + 2 * kvWidth), isVector: true))
            }
            if hasQueryKeyNorm {
                slots.append(WeightSlot(.queryNorm(layer: layer), vector(headDim), isVector: true))
                slots.append(WeightSlot(.keyNorm(layer: layer), vector(headDim), isVector: true))
            }
            if extent.endsAtCache && layer == extent.layerCount - 1 { break }
            slots.append(WeightSlot(.attentionOutput(layer: layer), matrix(hiddenSize, queryWidth)))
            if hasAttentionOutputBias {
                slots.append(WeightSlot(.attentionOutputBias(layer: layer), vector(hiddenSize), isVector: true))
            }
            slots.append(WeightSlot(.feedForwardNorm(layer: layer), vector(hiddenSize), isVector: true))
            slots.append(WeightSlot(.gateUp(layer: layer), matrix(2 * intermediateSize, hiddenSize)))
            slots.append(WeightSlot(.down(layer: layer), matrix(hiddenSize, intermediateSize)))
        }
        if extent.hasHead {
            slots.append(WeightSlot(.finalNorm, vector(hiddenSize), isVector: true))
            if !tiesEmbeddings {
                slots.append(WeightSlot(.head, matrix(vocabularySize, hiddenSize)))
            }
        }
        return slots
    }
}
