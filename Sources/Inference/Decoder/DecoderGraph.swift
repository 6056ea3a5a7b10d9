/// Rows of one sequence among those that a graph runs together, one sequence below the other.
struct SequenceRows {
    let cache: KVCache
    /// The sequence's new tokens.
    let tokens: Int
    /// Whether attention leaves out the cache rows flagged as padding.
    var hidesPadding = false
    /// Whether the tokens are rotated as the call says that reads them, rather than as tokens read one by one.
    var hasCallRotations = false
}

/// Of which tokens hidden states are wanted. The last layer computes no others: they would go nowhere.
enum WantedRows {
    case all
    /// Each sequence's last.
    case last
    /// Just keys and values are.
    case none
}

/// Emits a decoder's operations into a graph. Written once for every model family, shape and backend.
///
/// Norms and products run once over the rows of all sequences, so that each weight is loaded once for all; only what depends
/// on a sequence's position or cache runs for each.
struct DecoderGraph {
    let decoder: Decoder
    let sequences: [SequenceRows]
    /// Whether the tokens' keys and values are stored; else the cache holds their rows already.
    let writesCache: Bool
    /// By sequence: its rows in every activation.
    private let ranges: [Range<Int>]
    private var description: DecoderDescription { decoder.description }

    init(_ decoder: Decoder, _ sequences: [SequenceRows], writesCache: Bool = true) {
        self.decoder = decoder
        self.sequences = sequences
        self.writesCache = writesCache
        ranges = sequences.map(\.tokens).stackedRanges
    }

    /// Runs tokens through the layers of the decoder's extent, appending to the caches.
    ///
    /// - Parameter ids: u32 in parts of `[1, 1, tokens]`, in all as many as the sequences have rows.
    /// - Returns: the wanted hidden states `[1, rows, hidden]` before the final norm, or nil where there are none, as the
    ///   extent ends at the cache or none are wanted.
    func emitLayers(_ ids: [TensorView], wanted: WantedRows, into graph: inout Graph) -> TensorView? {
        let rows = ranges.last?.upperBound ?? 0
        var hidden = graph.scratch("hidden", TensorShape(rows: rows, columns: description.hiddenSize))
        let table = graph.bound(decoder.weight(.embedding))
        for (ids, range) in zip(ids, ids.map(\.columns).stackedRanges) {
            graph.add(.embed(Embed(ids: ids, table: table, output: hidden.rows(range))))
        }
        for layer in 0..<decoder.extent.layerCount {
            let isLast = layer == decoder.extent.layerCount - 1
            let wanted = !isLast ? .all : decoder.extent.endsAtCache ? .none : wanted
            guard let attended = emitAttention(layer, hidden, wanted: wanted, into: &graph) else { return nil }
            hidden = attended
            emitFeedForward(layer, hidden, into: &graph)
        }
        return hidden
    }

    /// The last row of each sequence, in as few parts as `hidden` allows.
    func lastRows(_ hidden: TensorView) -> [TensorView] {
        if hidden.rows == sequences.count { return [hidden] }
        return ranges.map { hidden.rows($0.upperBound - 1..<$0.upperBound) }
    }

    /// The final norm and the LM head.
    ///
    /// - Parameters:
    ///   - hidden: hidden states in parts `[1, rows, hidden]`.
    ///   - output: receives the logits `[1, rows of all parts, vocabulary]`.
    func emitHead(_ hidden: [TensorView], output: TensorView, into graph: inout Graph) {
        let normed = graph.scratch("final_norm", TensorShape(rows: output.rows, columns: description.hiddenSize))
        for (part, range) in zip(hidden, hidden.map(\.rows).stackedRanges) {
            emitNorm(.finalNorm, part, normed.rows(range), into: &graph)
        }
        let head = decoder.weight(description.tiesEmbeddings ? .embedding : .head)
        emitLinear(normed, head, bias: nil, output: output, into: &graph)
    }

    /// Counts the new rows of every cache.
    func emitAdvance(into graph: inout Graph) {
        for sequence in sequences {
            graph.add(
                .advance(Advance(counter: graph.boundView(sequence.cache.position), amount: sequence.tokens)))
        }
    }

    /// Adds the attention block to `hidden`.
    /// - Returns: the wanted rows, which are `hidden` itself where these are all.
    private func emitAttention(
        _ layer: Int, _ hidden: TensorView, wanted: WantedRows, into graph: inout Graph
    ) -> TensorView? {
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
        // Keys follow queries, so they are rotated with them.
        let rotated = qkv.columns(0..<(writesCache ? queryWidth + kvWidth : queryWidth))
        for (sequence, range) in zip(sequences, ranges) {
            let rows = rotated.rows(range)
            let position = graph.boundView(sequence.cache.position)
            let ofCall = sequence.hasCallRotations ? sequence.cache.callRotations : nil
            graph.add(
                .rope(
                    RoPE(
                        input: rows, headDim: description.headDim,
                        table: graph.bound(ofCall?.table ?? sequence.cache.ropeTable),
                        position: ofCall.map { graph.boundView($0.start) } ?? position, output: rows)))
            guard writesCache else { continue }
            for (rows, cache) in [(keys, sequence.cache.keys), (values, sequence.cache.values)] {
                graph.add(
                    .writeCache(
                        CacheWrite(input: rows.rows(range), cache: graph.bound(cache[layer]), position: position)))
            }
        }
        if wanted == .none { return nil }

        let isNarrowed = wanted == .last && tokens > sequences.count
        let attending = isNarrowed ? ranges.map { $0.upperBound - 1..<$0.upperBound } : ranges
        let places = attending.map(\.count).stackedRanges
        let attendingRows = places.last?.upperBound ?? 0
        let attended = graph.scratch("attention", TensorShape(rows: attendingRows, columns: queryWidth))
        for (index, sequence) in sequences.enumerated() {
            let cache = sequence.cache
            graph.add(
                .attention(
                    Attention(
                        queries: queries.rows(attending[index]), keys: graph.bound(cache.keys[layer]),
                        values: graph.bound(cache.values[layer]), heads: description.headCount,
                        scale: 1 / Float(description.headDim).squareRoot(),
                        position: graph.boundView(cache.position),
                        firstToken: attending[index].lowerBound - ranges[index].lowerBound,
                        padding: sequence.hidesPadding ? graph.bound(cache.padding) : nil,
                        output: attended.rows(places[index]))))
        }
        func emitOutput(_ attended: TensorView, residual: TensorView, output: TensorView) {
            emitLinear(
                attended, decoder.weight(.attentionOutput(layer: layer)),
                bias: description.hasAttentionOutputBias ? decoder.weight(.attentionOutputBias(layer: layer)) : nil,
                residual: residual, output: output, into: &graph)
        }
        guard isNarrowed else {
            emitOutput(attended, residual: hidden, output: hidden)
            return hidden
        }
        let last = graph.scratch("last_hidden", TensorShape(rows: attendingRows, columns: description.hiddenSize))
        for (rows, place) in zip(attending, places) {
            emitOutput(attended.rows(place), residual: hidden.rows(rows), output: last.rows(place))
        }
        return last
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

extension [Int] {
    /// The range that each has when that many things are put one after the other.
    var stackedRanges: [Range<Int>] {
        var end = 0
        return map { count in
            defer { end += count }
            return end..<end + count
        }
    }
}
