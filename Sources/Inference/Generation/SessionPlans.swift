/// The plans of a session, compiled when a shape first comes up, and the small tensors they share.
final class SessionPlans {
    /// What tells one prefill's plan from another's.
    struct PrefillForm: Hashable {
        var tokens: Int
        /// Attention leaves out the rows that the cache's flags call padding.
        var hidesPadding = false
        /// The layers are followed by logits of the last token, and the choice of the next one.
        var choosesToken = false
        /// The layers are followed by logits of every token.
        var allLogits = false
    }

    private enum Key: Hashable {
        case prefill(cache: String, form: PrefillForm, choice: SamplingSettings?)
        case decode(SamplingSettings, hidesPadding: Bool)
        case response(SamplingSettings)
        case fusion(tokens: Int, fusers: [String])
    }

    /// `[1, 1, prefillChunk]` of u32: the ids of a prefill.
    let ids: any StoredTensor
    /// One u32: the last chosen token.
    let token: any StoredTensor
    /// One u32: where in the log the next choice goes.
    let step: any StoredTensor
    /// One u32: the first row that a fusion changes.
    let fusionStart: any StoredTensor
    /// How plans that are asked for from now on choose tokens; the seed is an input.
    var sampling = SamplingSettings()

    private let backend: any Backend
    private let log: any StoredTensor
    private let prefillChunk: Int
    /// Two u32: the seed of what is drawn at random.
    private let seed: any StoredTensor
    private var plans: [Key: any Plan] = [:]
    /// Keys in the order of their last use.
    private var recentlyUsed: [Key] = []
    /// `[1, 1, vocabulary]`: how often each token was seen; made when first needed.
    private var counts: (any StoredTensor)?
    private var logitsByRows: [Int: any StoredTensor] = [:]

    init(backend: any Backend, log: any StoredTensor, prefillChunk: Int) throws {
        self.backend = backend
        self.log = log
        self.prefillChunk = prefillChunk
        func counter(_ name: String, _ columns: Int = 1) throws -> any StoredTensor {
            try backend.makeTensor(name, TensorShape(columns: columns), .u32, placement: .device)
        }
        ids = try counter("ids", prefillChunk)
        token = try counter("token")
        step = try counter("step")
        fusionStart = try counter("fusion_start")
        seed = try counter("seed", 2)
    }

    /// The most plans that are kept: prompts come in many lengths.
    private static let maximumPlans = 64

    /// Whether `forgetPlans` has something to do.
    var hasTooManyPlans: Bool { plans.count > Self.maximumPlans }

    /// Lets go of the plans that were not used for the longest time. None may be running.
    func forgetPlans() {
        let dropped = recentlyUsed.prefix(recentlyUsed.count - Self.maximumPlans / 2)
        for key in dropped { plans[key] = nil }
        recentlyUsed.removeFirst(dropped.count)
    }

    /// What the plan of a prompt's last tokens is given, so that it, and the steps after it, can choose.
    func choiceInputs(_ prompt: TokenSequence, _ decoder: Decoder) throws -> [PlanInput] {
        var inputs = [PlanInput(step, [0])]
        if !sampling.isGreedy {
            inputs.append(PlanInput(seed, [UInt32(truncatingIfNeeded: sampling.seed), UInt32(sampling.seed >> 32)]))
        }
        if sampling.hasPenalties {
            var seen = [UInt32](repeating: 0, count: decoder.description.vocabularySize)
            for (index, id) in prompt.ids.enumerated() where !prompt.padding.contains(index) { seen[id] += 1 }
            inputs.append(PlanInput(try tokenCounts(decoder), seen))
        }
        return inputs
    }

    private func tokenCounts(_ decoder: Decoder) throws -> any StoredTensor {
        if let counts { return counts }
        let made = try backend.makeTensor(
            "token_counts", TensorShape(columns: decoder.description.vocabularySize), .u32, placement: .device)
        counts = made
        return made
    }

    /// Tokens that a prefill of `decoder` runs as one, so that no activation exceeds what the device can bind.
    func chunk(for decoder: Decoder, allLogits: Bool) -> Int {
        let description = decoder.description
        let widest = max(
            2 * description.intermediateSize, description.queryWidth + 2 * description.kvWidth,
            description.hiddenSize, allLogits ? description.vocabularySize : 0)
        return min(prefillChunk, max(1, backend.maximumOutputBytes / (TensorShape(columns: widest).rowStride * 4)))
    }

    /// Tokens that are fused as one: bounded like a prefill, and by the batch of all open projections.
    func fusionChunk(_ fusers: [Fuser]) -> Int {
        let bytesPerToken = fusers.map { fuser in
            let description = fuser.description
            let widest = max(
                description.sharerWidth, description.receiverWidth, description.hiddenSize,
                description.intermediateSize)
            return description.open.count * TensorShape(columns: widest).rowStride * 4
        }
        // Half the limit, so that scratch memory stays a small part of what the weights take.
        return min(prefillChunk, max(1, backend.maximumOutputBytes / 2 / (bytesPerToken.max() ?? 1)))
    }

    func prefill(_ form: PrefillForm, _ decoder: Decoder, _ cache: KVCache) throws -> any Plan {
        try plan(.prefill(cache: cache.name, form: form, choice: form.choosesToken ? sampling.withoutSeed : nil)) {
            let tokens = form.tokens
            var graph = Graph(name: "prefill \(decoder.name) \(tokens)")
            let builder = DecoderGraph(decoder, cache, hidesPadding: form.hidesPadding)
            let ids = graph.boundView(self.ids).columns(0..<tokens)
            let hidden = builder.emitLayers(ids, into: &graph)
            var bindings = self.bindings(decoder, cache)
            if let hidden, form.allLogits {
                let logits = try logits(rows: tokens, decoder)
                bindings[logits.name] = logits
                builder.emitHead(hidden, output: graph.boundView(logits), into: &graph)
            }
            if let hidden, form.choosesToken {
                try emitChoice(builder, hidden.rows(tokens - 1..<tokens), into: &graph, &bindings)
            }
            builder.emitAdvance(tokens, into: &graph)
            return (graph, bindings)
        }
    }

    func decode(_ decoder: Decoder, _ cache: KVCache, hidesPadding: Bool) throws -> any Plan {
        try plan(.decode(sampling.withoutSeed, hidesPadding: hidesPadding)) {
            var graph = Graph(name: "decode \(decoder.name)")
            let builder = DecoderGraph(decoder, cache, hidesPadding: hidesPadding)
            var bindings = self.bindings(decoder, cache)
            let ids = graph.boundView(token)
            if let hidden = builder.emitLayers(ids, into: &graph) {
                try emitChoice(builder, hidden, into: &graph, &bindings)
            }
            builder.emitAdvance(1, into: &graph)
            return (graph, bindings)
        }
    }

    func fusion(
        _ tokens: Int, _ receiver: KVCache, _ sources: [FuserGraph.Source], mode: FusionMode
    ) throws -> any Plan {
        try plan(.fusion(tokens: tokens, fusers: sources.map(\.fuser.name))) {
            var graph = Graph(name: "fusion \(tokens)")
            let start = graph.boundView(fusionStart)
            FuserGraph(receiver: receiver, tokens: tokens, start: start).emit(sources, mode: mode, into: &graph)
            let stored =
                [fusionStart] + receiver.keys + receiver.values
                + sources.flatMap { $0.cache.keys + $0.cache.values + $0.fuser.storedWeights }
            return (graph, Dictionary(uniqueKeysWithValues: stored.map { ($0.name, $0) }))
        }
    }

    /// Reads the last chosen token with every model, each on its own cache, fuses the new rows, and lets the receiver
    /// read the token again on the fused cache, whose row it then finds there.
    ///
    /// - Parameter unfused: the receiver's own cache, which no fuser changes.
    func response(
        _ receiver: Decoder, fused: KVCache, unfused: KVCache, _ sharers: [(Decoder, KVCache)],
        _ sources: [FuserGraph.Source], mode: FusionMode
    ) throws -> any Plan {
        try plan(.response(sampling.withoutSeed)) {
            var graph = Graph(name: "response \(receiver.name)")
            let ids = graph.boundView(token)
            var bindings = self.bindings(receiver, fused)
            let ownRows = try receiver.limited(to: .cacheOnly(layerCount: receiver.extent.layerCount))
            for (decoder, cache) in sharers + [(ownRows, unfused)] {
                let builder = DecoderGraph(decoder, cache)
                _ = builder.emitLayers(ids, into: &graph)
                builder.emitAdvance(1, into: &graph)
                bindings.merge(self.bindings(decoder, cache)) { first, _ in first }
            }
            let start = graph.boundView(fused.position)
            for (from, to) in zip(unfused.keys + unfused.values, fused.keys + fused.values) {
                let row = graph.scratch("row", TensorShape(columns: from.shape.batch * from.shape.columns))
                graph.add(.readCache(CacheRead(cache: graph.bound(from), position: start, output: row)))
                graph.add(.writeCache(CacheWrite(input: row, cache: graph.bound(to), position: start)))
            }
            FuserGraph(receiver: fused, tokens: 1, start: start).emit(sources, mode: mode, into: &graph)
            for weight in sources.flatMap(\.fuser.storedWeights) { bindings[weight.name] = weight }
            let builder = DecoderGraph(receiver, fused, writesCache: false)
            if let hidden = builder.emitLayers(ids, into: &graph) {
                try emitChoice(builder, hidden, into: &graph, &bindings)
            }
            builder.emitAdvance(1, into: &graph)
            return (graph, bindings)
        }
    }

    /// Where logits of `rows` tokens go: `[1, rows, vocabulary]`.
    func logits(rows: Int, _ decoder: Decoder) throws -> any StoredTensor {
        if let tensor = logitsByRows[rows] { return tensor }
        let tensor = try backend.makeTensor(
            "logits.\(rows)", TensorShape(rows: rows, columns: decoder.description.vocabularySize), .f32,
            placement: .device)
        logitsByRows[rows] = tensor
        return tensor
    }

    private func emitChoice(
        _ builder: DecoderGraph, _ hidden: TensorView, into graph: inout Graph,
        _ bindings: inout [String: any StoredTensor]
    ) throws {
        let logits = try logits(rows: 1, builder.decoder)
        bindings[logits.name] = logits
        let row = graph.boundView(logits)
        builder.emitHead(hidden, output: row, into: &graph)
        let step = graph.boundView(self.step)
        let token = graph.boundView(self.token)
        let counts = sampling.hasPenalties ? try tokenCounts(builder.decoder) : nil
        if let counts {
            bindings[counts.name] = counts
            graph.add(
                .penalize(
                    Penalize(
                        logits: row, counts: graph.bound(counts), presence: sampling.presencePenalty,
                        frequency: sampling.frequencyPenalty, repetition: sampling.repetitionPenalty)))
        }
        if sampling.isGreedy {
            graph.add(.argmax(ArgMax(logits: row, token: token, log: graph.bound(log), step: step)))
        } else {
            bindings[seed.name] = seed
            let weights = graph.scratch("weights", TensorShape(columns: row.columns))
            graph.add(
                .sample(
                    Sample(
                        logits: row, temperature: sampling.temperature, topK: sampling.topK, topP: sampling.topP,
                        minP: sampling.minP, seed: graph.boundView(seed), step: step, weights: weights, token: token,
                        log: graph.bound(log))))
        }
        if let counts { graph.add(.tally(Tally(token: token, counts: graph.bound(counts)))) }
        graph.add(.advance(Advance(counter: step, amount: 1)))
    }

    private func bindings(_ decoder: Decoder, _ cache: KVCache) -> [String: any StoredTensor] {
        let stored =
            decoder.storedWeights + cache.keys + cache.values
            + [cache.position, cache.ropeTable, cache.padding, ids, token, step, log]
        return Dictionary(uniqueKeysWithValues: stored.map { ($0.name, $0) })
    }

    private func plan(
        _ key: Key, _ build: () throws -> (Graph, [String: any StoredTensor])
    ) throws -> any Plan {
        if let plan = plans[key] {
            if recentlyUsed.last != key, let index = recentlyUsed.lastIndex(of: key) {
                recentlyUsed.append(recentlyUsed.remove(at: index))
            }
            return plan
        }
        let (graph, bindings) = try build()
        let plan = try backend.compile(graph, bindings: bindings)
        plans[key] = plan
        recentlyUsed.append(key)
        return plan
    }
}
