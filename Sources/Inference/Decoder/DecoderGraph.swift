/// Emits a decoder's operations into a graph. Written once for every model family, shape and backend.
struct DecoderGraph {
    let decoder: Decoder
    let cache: KVCache
    /// Whether attention leaves out the cache rows flagged as padding.
    let hidesPadding: Bool
    /// Whether the tokens' keys and values are stored; else the cache holds their rows already.
    let writesCache: Bool
    private var description: DecoderDescription { decoder.description }

    init(_ decoder: Decoder, _ cache: KVCache, hidesPadding: Bool = false, writesCache: Bool = true) {
        self.decoder = decoder
        self.cache = cache
        self.hidesPadding = hidesPadding
        self.writesCache = writesCache
    }

    /// Runs `ids` through the layers of the decoder's extent, appending to the cache.
    ///
    /// - Parameter ids: `[1, 1, tokens]` of u32.
    /// - Returns: the hidden states `[1, tokens, hidden]` before the final norm, or nil where the extent ends at the cache.
    func emitLayers(_ ids: TensorView, into graph: inout Graph) -> TensorView? {
        let tokens = ids.columns
        let hidden = graph.scratch("hidden", TensorShape(rows: tokens, columns: description.hiddenSize))
        graph.add(.embed(Embed(ids: ids, table: graph.bound(decoder.weight(.embedding)), output: hidden)))
        for layer in 0..<decoder.extent.layerCount {
            let attended = emitAttention(layer, hidden, into: &graph)
            guard attended else { return nil }
            emitFeedForward(layer, hidden, into: &graph)
        }
        return hidden
    }

    /// The final norm and the LM head.
    /// - Returns: logits `[1, rows of hidden, vocabulary]` written to `output`.
    func emitHead(_ hidden: TensorView, output: TensorView, into graph: inout Graph) {
        let normed = graph.scratch("final_norm", TensorShape(rows: hidden.rows, columns: hidden.columns))
        emitNorm(.finalNorm, hidden, normed, into: &graph)
        let head = decoder.weight(description.tiesEmbeddings ? .embedding : .head)
        emitLinear(normed, head, bias: nil, output: output, into: &graph)
    }

    /// Counts `tokens` more rows of the cache.
    func emitAdvance(_ tokens: Int, into graph: inout Graph) {
        graph.add(.advance(Advance(counter: graph.boundView(cache.position), amount: tokens)))
    }

    /// Adds the attention block to `hidden`.
    /// - Returns: false where the extent ends at this layer's keys and values.
    private func emitAttention(_ layer: Int, _ hidden: TensorView, into graph: inout Graph) -> Bool {
        let tokens = hidden.rows
        let (queryWidth, kvWidth) = (description.queryWidth, description.kvWidth)
        let normed = graph.scratch("attention_norm", TensorShape(rows: tokens, columns: description.hiddenSize))
        emitNorm(.attentionNorm(layer: layer), hidden, normed, into: &graph)

        let qkv = graph.scratch("qkv", TensorShape(rows: tokens, columns: queryWidth + 2 * kvWidth))
        emitLinear(
            normed, decoder.weight(.queryKeyValue(layer: layer)),
            bias: description.hasAttentionBias ? decoder.weight(.queryKeyValueBias(layer: layer)) : nil,
            output: qkv, into: &graph)
        let queries = qkv.columns(0..<queryWidth)
        let keys = qkv.columns(queryWidth..<queryWidth + kvWidth)
        let values = qkv.columns(queryWidth + kvWidth..<queryWidth + 2 * kvWidth)

        if description.hasQueryKeyNorm {
            emitNorm(.queryNorm(layer: layer), queries, queries, groups: description.headCount, into: &graph)
        }
        if description.hasQueryKeyNorm && writesCache {
            emitNorm(.keyNorm(layer: layer), keys, keys, groups: description.kvHeadCount, into: &graph)
        }
        let position = graph.boundView(cache.position)
        let table = graph.bound(cache.ropeTable)
        for heads in writesCache ? [queries, keys] : [queries] {
            graph.add(
                .rope(
                    RoPE(
                        input: heads, headDim: description.headDim, table: table, position: position, output: heads)))
        }
        let (keyCache, valueCache) = (graph.bound(cache.keys[layer]), graph.bound(cache.values[layer]))
        if writesCache {
            graph.add(.writeCache(CacheWrite(input: keys, cache: keyCache, position: position)))
            graph.add(.writeCache(CacheWrite(input: values, cache: valueCache, position: position)))
        }
        if decoder.extent.endsAtCache && layer == decoder.extent.layerCount - 1 { return false }

        let attended = graph.scratch("attention", TensorShape(rows: tokens, columns: queryWidth))
        graph.add(
            .attention(
                Attention(
                    queries: queries, keys: keyCache, values: valueCache, heads: description.headCount,
                    scale: 1 / Float(description.headDim).squareRoot(), position: position,
                    padding: hidesPadding ? graph.bound(cache.padding) : nil, output: attended)))
        emitLinear(
            attended, decoder.weight(.attentionOutput(layer: layer)),
            bias: description.hasAttentionOutputBias ? decoder.weight(.attentionOutputBias(layer: layer)) : nil,
            residual: hidden, output: hidden, into: &graph)
        return true
    }

    /// Adds the feed-forward block to `hidden`.
    private func emitFeedForward(_ layer: Int, _ hidden: TensorView, into graph: inout Graph) {
        let tokens = hidden.rows
        let normed = graph.scratch("feed_forward_norm", TensorShape(rows: tokens, columns: description.hiddenSize))
        emitNorm(.feedForwardNorm(layer: layer), hidden, normed, into: &graph)
        let gateUp = graph.scratch("gate_up", TensorShape(rows: tokens, columns: 2 * description.intermediateSize))
        emitLinear(normed, decoder.weight(.gateUp(layer: layer)), bias: nil, output: gateUp, into: &graph)
        let gated = graph.scratch("swiglu", TensorShape(rows: tokens, columns: description.intermediateSize))
        graph.add(.swiGLU(SwiGLU(input: gateUp, output: gated)))
        emitLinear(
            gated, decoder.weight(.down(layer: layer)), bias: nil, residual: hidden, output: hidden, into: &graph)
    }

    private func emitNorm(
        _ role: WeightSlot.Role, _ input: TensorView, _ output: TensorView, groups: Int = 1, into graph: inout Graph
    ) {
        graph.add(
            .rmsNorm(
                RMSNorm(
                    input: input, weight: graph.bound(decoder.weight(role)), groups: groups,
                    epsilon: description.normEpsilon, output: output)))
    }

    private func emitLinear(
        _ input: TensorView, _ weight: any StoredTensor, bias: (any StoredTensor)?, residual: TensorView? = nil,
        output: TensorView, into graph: inout Graph
    ) {
        graph.add(
            .linear(
                Linear(
                    input: input, weight: graph.bound(weight), bias: bias.map { graph.bound($0) }, activation: .none,
                    residual: residual, output: output)))
    }
}
