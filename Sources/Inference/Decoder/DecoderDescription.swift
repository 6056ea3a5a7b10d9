/// What tells one decoder-only transformer from another.
///
/// Qwen2, Qwen3 and Llama are one decoder (RMSNorm, RoPE, grouped-query attention, SwiGLU) with these numbers.
public struct DecoderDescription: Sendable, Hashable {
    /// For people and errors, such as `qwen3`.
    public var family: String
    public var hiddenSize: Int
    /// The feed-forward width.
    public var intermediateSize: Int
    public var layerCount: Int
    public var headCount: Int
    public var kvHeadCount: Int
    /// Columns of one head; not always `hiddenSize / headCount`.
    public var headDim: Int
    public var vocabularySize: Int
    /// Epsilon of every RMSNorm.
    public var normEpsilon: Float
    public var rope: RoPEDescription
    /// Whether the projections of queries, keys and values carry biases (Qwen2).
    public var hasAttentionBias: Bool
    /// Whether the attention's output projection carries a bias (Llama with `attention_bias`).
    public var hasAttentionOutputBias: Bool
    /// Whether queries and keys are normalised head by head before RoPE (Qwen3).
    public var hasQueryKeyNorm: Bool
    /// Whether the LM head is the embedding table.
    public var tiesEmbeddings: Bool
    /// The longest sequence the model was made for, in tokens, without what RoPE scaling adds.
    public var trainedContext: Int
    /// The longest sequence that the model reads, in tokens.
    public var maximumContext: Int

    public init(
        family: String, hiddenSize: Int, intermediateSize: Int, layerCount: Int, headCount: Int, kvHeadCount: Int,
        headDim: Int, vocabularySize: Int, normEpsilon: Float, rope: RoPEDescription, hasAttentionBias: Bool = false,
        hasAttentionOutputBias: Bool = false, hasQueryKeyNorm: Bool = false, tiesEmbeddings: Bool = false,
        trainedContext: Int? = nil, maximumContext: Int
    ) {
        self.family = family
        self.hiddenSize = hiddenSize
        self.intermediateSize = intermediateSize
        self.layerCount = layerCount
        self.headCount = headCount
        self.kvHeadCount = kvHeadCount
        self.headDim = headDim
        self.vocabularySize = vocabularySize
        self.normEpsilon = normEpsilon
        self.rope = rope
        self.hasAttentionBias = hasAttentionBias
        self.hasAttentionOutputBias = hasAttentionOutputBias
        self.hasQueryKeyNorm = hasQueryKeyNorm
        self.tiesEmbeddings = tiesEmbeddings
        self.trainedContext = trainedContext ?? maximumContext
        self.maximumContext = maximumContext
    }

    /// Columns of all query heads.
    public var queryWidth: Int { headCount * headDim }

    /// Columns of all key (or value) heads.
    public var kvWidth: Int { kvHeadCount * headDim }
}
