/// The plans of a session, compiled when a shape first comes up, and the small tensors they share.
final class SessionPlans {
    /// What tells the rows of one plan from another's.
    private struct RowsKey: Hashable {
        var cache: ObjectIdentifier
        var tokens: Int
        var hidesPadding = false
        var hasCallRotations = false

        init(_ rows: SequenceRows) {
            cache = ObjectIdentifier(rows.cache)
            tokens = rows.tokens
            hidesPadding = rows.hidesPadding
            hasCallRotations = rows.hasCallRotations
        }

        init(_ cache: KVCache, tokens: Int) {
            self.cache = ObjectIdentifier(cache)
            self.tokens = tokens
        }
    }

    private enum Key: Hashable {
        case prefill([RowsKey], choice: SamplingSettings?, allLogits: Bool)
        case joint([[RowsKey]])
        case decode([RowsKey], SamplingSettings)
        case response([RowsKey], SamplingSettings)
        case fusion([RowsKey], fusers: [ObjectIdentifier])
        case tally(sequence: Int)
        case flags(cache: ObjectIdentifier)
    }

    /// `[1, 1, prefillChunk]` of u32: the ids of a prefill.
    let ids: any StoredTensor
    /// `[1, 1, capacity + 2]` of u32: how many numbers follow, and these: tokens that are to be tallied, or bounds of rows that are
    /// to be flagged.
    let list: any StoredTensor
    /// One u32: where in the logs the next choices go.
    let step: any StoredTensor
    /// How plans that are asked for from now on choose tokens; the seeds are inputs.
    var sampling = SamplingSettings()

    let backend: any Backend
    private let prefillChunk: Int
    private var plans: [Key: any Plan] = [:]
    /// Keys in the order of their last use.
    private var recentlyUsed: [Key] = []
    private var logitsByRows: [Int: any StoredTensor] = [:]
    /// The ids that models read side by side, but for the first model's.
    private var otherIDs: [any StoredTensor] = []

    /// - Parameter capacity: the most tokens of a prompt.
    init(backend: any Backend, sequenceCount: Int, prefillChunk: Int, capacity: Int) throws {
        self.backend = backend
        self.prefillChunk = prefillChunk
        func numbers(_ name: String, _ columns: Int = 1) throws -> any StoredTensor {
            try backend.makeTensor(name, TensorShape(columns: columns), .u32, placement: .device)
        }
        ids = try numbers("ids", max(prefillChunk, sequenceCount))
        list = try numbers("list", capacity + 2)
        step = try numbers("step")
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

    /// - Parameters:
    ///   - choosing: the sequences, in the order of `rows`, whose next tokens are chosen from their last rows; or none.
    ///   - allLogits: the layers are followed by logits of every row.
    func prefill(
        _ rows: [SequenceRows], choosing sequences: [SequenceState], allLogits: Bool, _ decoder: Decoder
    ) throws -> any Plan {
        let choice = sequences.isEmpty ? nil : sampling.withoutSeed
        return try plan(.prefill(rows.map(RowsKey.init), choice: choice, allLogits: allLogits)) {
            let tokens = rows.reduce(0) { $0 + $1.tokens }
            var graph = Graph(name: "prefill \(decoder.name) \(tokens)")
            let builder = DecoderGraph(decoder, rows)
            let ids = graph.boundView(self.ids).columns(0..<tokens)
            let hidden = builder.emitLayers(
                [ids], wanted: allLogits ? .all : sequences.isEmpty ? .none : .last, into: &graph)
            if let hidden, allLogits {
                let logits = try logits(rows: tokens, decoder)
                builder.emitHead([hidden], output: graph.boundView(logits), into: &graph)
            }
            if let hidden, !sequences.isEmpty {
                try emitChoice(builder, hidden, sequences, into: &graph)
            }
            builder.emitAdvance(into: &graph)
            return graph
        }
    }

    /// Prefills of several models side by side, each of its own ids.
    func joint(_ readers: [(decoder: Decoder, rows: [SequenceRows])]) throws -> any Plan {
        try plan(.joint(readers.map { $0.rows.map(RowsKey.init) })) {
            var graph = Graph(name: "prefill " + readers.map(\.decoder.name).joined(separator: ", "))
            try graph.addIndependent(
                readers.enumerated().map { index, reader in
                    let stored = try ids(ofReader: index)
                    let tokens = reader.rows.reduce(0) { $0 + $1.tokens }
                    return { graph in
                        let builder = DecoderGraph(reader.decoder, reader.rows)
                        _ = builder.emitLayers(
                            [graph.boundView(stored).columns(0..<tokens)], wanted: .none, into: &graph)
                        builder.emitAdvance(into: &graph)
                    }
                })
            return graph
        }
    }

    /// The ids of one of several models that read side by side.
    func ids(ofReader index: Int) throws -> any StoredTensor {
        while otherIDs.count < index {
            otherIDs.append(
                try backend.makeTensor("ids.\(otherIDs.count + 1)", ids.shape, .u32, placement: .device))
        }
        return index == 0 ? ids : otherIDs[index - 1]
    }

    /// One step of sequences: each reads its last chosen token and chooses the next.
    func decode(_ decoder: Decoder, _ sequences: [SequenceState]) throws -> any Plan {
        let rows = sequences.map {
            SequenceRows(cache: $0.receiverCache, tokens: 1, hidesPadding: $0.hidesRows)
        }
        return try plan(.decode(rows.map(RowsKey.init), sampling.withoutSeed)) {
            var graph = Graph(name: "decode \(decoder.name)")
            let builder = DecoderGraph(decoder, rows)
            let ids = sequences.map { graph.boundView($0.token) }
            if let hidden = builder.emitLayers(ids, wanted: .last, into: &graph) {
                try emitChoice(builder, hidden, sequences, into: &graph)
            }
            builder.emitAdvance(into: &graph)
            return graph
        }
    }

    /// - Parameters:
    ///   - rows: sequences with the rows of each that are fused.
    ///   - projecting: the sharers, by index in `sharers`, whose caches are read.
    func fusion(
        _ rows: [(sequence: SequenceState, tokens: Int)], receiver: Decoder, _ projecting: [Int], _ sharers: [Sharer],
        mode: FusionMode
    ) throws -> any Plan {
        let fusers = projecting.map { sharers[$0].fuser }
        let keys = rows.map { RowsKey($0.sequence.receiverCache, tokens: $0.tokens) }
        return try plan(.fusion(keys, fusers: fusers.map { ObjectIdentifier($0) })) {
            var graph = Graph(name: "fusion \(rows.reduce(0) { $0 + $1.tokens })")
            let fused = rows.map { sequence, tokens in
                FusedRows(
                    receiver: sequence.receiverCache, sharers: projecting.compactMap { sequence.sharerCaches[$0] },
                    tokens: tokens, start: graph.boundView(sequence.fusionStart))
            }
            FuserGraph(fusers, fused).emit(mode: mode, into: &graph)
            return graph
        }
    }

    /// Reads the last chosen token of each sequence with every model, each on its own cache, fuses the new rows, and lets
    /// the receiver read the token again on the fused cache, whose row it then finds there.
    ///
    /// - Parameters:
    ///   - sequences: with unfused caches.
    ///   - projecting: the sharers, by index in `sharers`, that have something to project.
    func response(
        _ sequences: [SequenceState], receiver: Decoder, _ projecting: [Int], _ sharers: [Sharer], mode: FusionMode
    ) throws -> any Plan {
        let keys = sequences.map { RowsKey($0.receiverCache, tokens: 1) }
        return try plan(.response(keys, sampling.withoutSeed)) {
            var graph = Graph(name: "response \(receiver.name)")
            let ids = sequences.map { graph.boundView($0.token) }
            let caches = sequences.map(\.receiverCache)
            var readers = sharers.enumerated().map { index, sharer in
                (sharer.decoder, sequences.compactMap { $0.sharerCaches[index] })
            }
            readers.append((receiver, sequences.compactMap(\.unfusedCache)))
            for (decoder, caches) in readers where !caches.isEmpty {
                let builder = DecoderGraph(decoder, caches.map { SequenceRows(cache: $0, tokens: 1) })
                _ = builder.emitLayers(ids, wanted: .none, into: &graph)
                builder.emitAdvance(into: &graph)
            }
            for (fused, unfused) in zip(caches, sequences.compactMap(\.unfusedCache)) {
                let start = graph.boundView(fused.position)
                for (from, to) in zip(unfused.keys + unfused.values, fused.keys + fused.values) {
                    let row = graph.scratch("row", TensorShape(columns: from.shape.batch * from.shape.columns))
                    graph.add(.readCache(CacheRead(cache: graph.bound(from), position: start, output: row)))
                    graph.add(.writeCache(CacheWrite(input: row, cache: graph.bound(to), position: start)))
                }
            }
            let fusers = projecting.map { sharers[$0].fuser }
            let rows = sequences.map { sequence in
                FusedRows(
                    receiver: sequence.receiverCache, sharers: projecting.compactMap { sequence.sharerCaches[$0] },
                    tokens: 1, start: graph.boundView(sequence.receiverCache.position))
            }
            FuserGraph(fusers, rows).emit(mode: mode, into: &graph)
            let builder = DecoderGraph(
                receiver, caches.map { SequenceRows(cache: $0, tokens: 1) }, writesCache: false)
            if let hidden = builder.emitLayers(ids, wanted: .last, into: &graph) {
                try emitChoice(builder, hidden, sequences, into: &graph)
            }
            builder.emitAdvance(into: &graph)
            return graph
        }
    }

    /// Counts the tokens of `list` as those that a sequence has seen.
    func tally(_ sequence: SequenceState, vocabulary: Int) throws -> any Plan {
        try plan(.tally(sequence: sequence.index)) {
            var graph = Graph(name: "tally")
            let counts = try sequence.tokenCounts(vocabulary, on: backend)
            let list = graph.boundView(self.list)
            graph.add(
                .tally(
                    Tally(
                        tokens: list.columns(1..<list.columns), count: list.columns(0..<1), counts: graph.bound(counts),
                        startsAnew: true)))
            return graph
        }
    }

    /// Flags the rows of a cache that lie between the bounds of `list`.
    func flags(_ cache: KVCache) throws -> any Plan {
        try plan(.flags(cache: ObjectIdentifier(cache))) {
            var graph = Graph(name: "flags")
            let list = graph.boundView(self.list)
            graph.add(
                .flagRows(
                    FlagRows(
                        bounds: list.columns(1..<list.columns), count: list.columns(0..<1),
                        flags: graph.bound(cache.padding))))
            return graph
        }
    }

    /// What makes `list` these numbers.
    func listed(_ numbers: [UInt32]) -> PlanInput {
        PlanInput(list, [UInt32(numbers.count)] + numbers)
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

    private func plan(
        _ key: Key, _ build: () throws -> Graph
    ) throws -> any Plan {
        if let plan = plans[key] {
            if recentlyUsed.last != key, let index = recentlyUsed.lastIndex(of: key) {
                recentlyUsed.append(recentlyUsed.remove(at: index))
            }
            return plan
        }
        let plan = try backend.compile(try build())
        plans[key] = plan
        recentlyUsed.append(key)
        return plan
    }
}
