/// A model whose cache the receiver is given, with the fuser that translates it.
public struct Sharer {
    public var decoder: Decoder
    public var fuser: Fuser

    public init(decoder: Decoder, fuser: Fuser) {
        self.decoder = decoder
        self.fuser = fuser
    }
}

/// The KV-caches of a receiver and its sharers for one sequence, or for several that run together, and the plans that work
/// on them.
///
/// Sequences that run together share every load of a weight; their caches, positions and random numbers are their own, so
/// each gets the tokens that it would get alone.
///
/// Nothing here waits for the device except where a token, or a tensor, is read.
public final class Session {
    public let backend: any Backend
    public let receiver: Decoder
    public let sharers: [Sharer]
    public let fusionMode: FusionMode
    let overlapsPrefill: Bool
    let sequences: [SequenceState]
    let plans: SessionPlans
    /// The runs that choose each new token, by step.
    var steps: [Step] = []
    /// Who wants to know how far the prompts are read, while they are.
    var watch: ReadingWatch?

    /// A run that chooses a token for each of some sequences.
    struct Step {
        var execution: Execution
        /// In the order of the rows of its logits.
        var sequences: [Int]
    }

    /// - Parameters:
    ///   - includesResponse: new tokens are projected too: for each, every model runs a step on its own unfused cache, and
    ///     the receiver attends to the fused row in that same step. So is the prompt's last token.
    ///   - capacity: tokens that the caches have room for, prompt and answer together.
    ///   - cacheType: f32, f16, bf16 or q8_0.
    ///   - sequenceCount: the most sequences that can run together, each with caches of its own.
    ///   - prefillChunk: the most tokens that run as one; it bounds scratch memory.
    ///   - overlapsPrefill: sharers and receiver read a section side by side, where it is one chunk for each; nil does it where
    ///     the backend gains by it. No byte of the result changes.
    /// - Throws: `InferenceError.mismatch` for a fuser that doesn't fit its models; what the backend throws when
    ///   memory is exhausted.
    public init(
        on backend: any Backend, receiver: Decoder, sharers: [Sharer] = [], fusionMode: FusionMode = .sequential,
        includesResponse: Bool = false, capacity: Int, cacheType: ElementType = .f16, sequenceCount: Int = 1,
        prefillChunk: Int = 512, overlapsPrefill: Bool? = nil
    ) throws {
        for sharer in sharers {
            try sharer.fuser.description.check(
                name: sharer.fuser.name, receiver: receiver.description, sharer: sharer.decoder.description)
        }
        self.backend = backend
        self.receiver = receiver
        self.sharers = sharers
        self.fusionMode = fusionMode
        self.overlapsPrefill = overlapsPrefill ?? backend.runsKernelsSideBySide
        var sequences: [SequenceState] = []
        for index in 0..<max(1, sequenceCount) {
            sequences.append(
                try SequenceState(
                    index, receiver: receiver, sharers: sharers, includesResponse: includesResponse,
                    capacity: capacity, prefillChunk: prefillChunk, cacheType: cacheType, sharing: sequences.first,
                    on: backend))
        }
        self.sequences = sequences
        plans = try SessionPlans(
            backend: backend, sequenceCount: sequences.count, prefillChunk: prefillChunk, capacity: capacity)
    }

    /// The most sequences that can run together.
    public var sequenceCount: Int { sequences.count }

    /// Tokens that each sequence's caches have room for.
    public var capacity: Int { receiverCache.capacity }

    /// The receiver's cache of the first sequence.
    public var receiverCache: KVCache { sequences[0].receiverCache }

    /// The sharers' caches of the first sequence; nil where all of a fuser's gates are closed, so that nothing is read.
    public var sharerCaches: [KVCache?] { sequences[0].sharerCaches }

    /// Bytes of all caches as stored.
    public var cacheBytes: Int { sequences.flatMap(\.caches).reduce(0) { $0 + $1.byteCount } }

    /// Bytes that the caches of one more sequence would take.
    ///
    /// - Parameter capacity: see `init`, as the others.
    public static func cacheBytes(
        receiver: Decoder, sharers: [Sharer], includesResponse: Bool, capacity: Int, cacheType: ElementType
    ) -> Int {
        let copies = includesResponse && !sharers.isEmpty ? 2 : 1
        return (Array(repeating: receiver, count: copies) + sharers.map(\.decoder))
            .reduce(0) { $0 + KVCache.byteCount(for: $1, capacity: capacity, type: cacheType) }
    }

    /// Prefills a prompt section by section, fuses, and chooses the first new token.
    ///
    /// - Parameters:
    ///   - keepsPrefix: leaves the rows that the caches already hold of this prompt as they are, answers that were decoded
    ///     included, and works only from the first differing token on, or the first row that was read with other rows hidden or
    ///     fused with other sharers. Sharers first read what they have missed.
    ///   - sampling: how this and the following tokens are chosen.
    ///   - onLogits: given the logits of every prompt position, a chunk at a time as `[tokens, vocabulary]`; asking
    ///     for them costs an LM head over the whole prompt.
    /// - Returns: the rows that were kept.
    /// - Throws: `InferenceError.badRequest` for an empty prompt, one longer than the caches, an id outside a
    ///   vocabulary, or sections that don't fit.
    @discardableResult
    public func prefill(
        _ prompt: Prompt, keepsPrefix: Bool = false, sampling: SamplingSettings = SamplingSettings(),
        onLogits: (([Float]) throws -> Void)? = nil
    ) throws -> Int {
        let onLogits = onLogits.map { given in { (_: Int, logits: [Float]) in try given(logits) } }
        return try prefill(
            [prompt], keepsPrefix: keepsPrefix, sampling: sampling, seeds: [sampling.seed], onLogits: onLogits)[0]
    }

    /// Prefills prompts together, one in each of the first sequences.
    ///
    /// - Parameters:
    ///   - seeds: by prompt, instead of the seed in `sampling`.
    ///   - onLogits: also given the prompt's index.
    ///   - onRead: given how far the prompts are read, from run to run. What it throws ends that; the caches then hold what was
    ///     read, and are as good for the next prompt as ever.
    /// - Returns: by prompt, the rows that were kept.
    func prefill(
        _ prompts: [Prompt], keepsPrefix: Bool, sampling: SamplingSettings, seeds: [UInt64],
        onLogits: ((Int, [Float]) throws -> Void)?, onRead: ((ReadingProgress) throws -> Void)? = nil
    ) throws -> [Int] {
        try sampling.check()
        guard prompts.count <= sequences.count else {
            throw InferenceError.badRequest(
                "\(prompts.count) prompts are given, the session has room for \(sequences.count) sequences")
        }
        for prompt in prompts {
            try prompt.check(receiver: receiver, sharers: sharers.map(\.decoder), capacity: capacity)
            if prompt.hiddenRows != nil, sequences[0].unfusedCache != nil {
                throw InferenceError.badRequest("rows can't be hidden while the answer is fused too")
            }
        }
        let kept = try zip(sequences, prompts).map { keepsPrefix ? try keptRows($0, of: $1) : 0 }
        if plans.hasTooManyPlans {
            // Runs end in the order they began.
            if let last = steps.last { try backend.wait(last.execution) }
            plans.forgetPlans()
        }
        plans.sampling = sampling
        steps = []
        for ((sequence, prompt), kept) in zip(zip(sequences, prompts), kept) {
            sequence.caches.forEach { $0.truncate(to: kept) }
            let conditions = prompt.conditions
            sequence.conditions = sequence.conditions(ofRows: kept) + conditions[kept...]
        }
        watch = try onRead.map { try ReadingWatch(total: rowsToRead(prompts), $0) }
        defer { watch = nil }

        let sections = zip(prompts, kept).map { $0.sections(from: $1) }
        // Prompts may have unlike numbers of sections; the last ones, which choose tokens, run together.
        for round in 0..<(sections.map(\.count).max() ?? 1) - 1 {
            let indices = prompts.indices.filter { round < sections[$0].count - 1 }
            try readSection(indices.map { ($0, prompts[$0], sections[$0][round]) }, onLogits: onLogits)
        }
        let asked = Array(zip(sequences, prompts))
        for (sequence, prompt) in asked { sequence.hidesRows = prompt.hiddenRows != nil }
        if sequences[0].unfusedCache == nil {
            let readings = asked.map { sequence, prompt in
                Reading(
                    sequence: sequence, tokens: prompt.receiver, cache: sequence.receiverCache, end: prompt.count,
                    hiddenRows: prompt.hiddenRows)
            }
            try read(readings, receiver, .receiverPrefill, choosingWith: seeds, onLogits: onLogits)
        } else {
            try respond(to: asked, seeds)
        }
        return kept
    }

    /// Rows of prompts that their sequences' caches lack: the receiver's all, the sharers' up to the last section.
    private func rowsToRead(_ prompts: [Prompt]) -> Int {
        zip(sequences, prompts).reduce(0) { sum, part in
            let (sequence, prompt) = part
            let end = prompt.count - (prompt.sections.last?.length ?? 0)
            return sequence.sharerCaches.reduce(sum + prompt.count - sequence.receiverCache.count) { sum, cache in
                sum + max(0, end - (cache?.count ?? end))
            }
        }
    }

    /// How many of a prompt's rows a sequence's caches already hold, at most all but the last.
    private func keptRows(_ sequence: SequenceState, of prompt: Prompt) throws -> Int {
        let cache = sequence.receiverCache
        if let last = steps.last {
            // The rows of decoded tokens were handed over before the host knew which tokens they hold.
            try backend.wait(last.execution)
            let decoded = cache.count - cache.contents.count
            cache.contents.ids += try backend.readIDs(sequence.log, 0..<decoded).map { Int($0) }
        }
        var kept = min(cache.contents.commonPrefix(with: prompt.receiver), prompt.count - 1)
        for (index, cache) in sequence.sharerCaches.enumerated() {
            guard let cache else { continue }
            let common = cache.contents.commonPrefix(with: prompt.sequence(ofSharer: index))
            // A sharer may lag behind, but rows fused from other tokens are of no use.
            if common < cache.contents.count { kept = min(kept, common) }
        }
        return zip(sequence.conditions(ofRows: kept), prompt.conditions).prefix { $0.0.holds($0.1) }.count
    }

    /// Hands one more decode step over: the receiver reads each sequence's last chosen token and chooses the next.
    ///
    /// A sequence that isn't wanted any more is computed along until at most half of those that run are wanted: leaving it
    /// out takes another plan.
    ///
    /// - Parameter isWanted: whether a sequence's next token is of interest.
    /// - Returns: false when no sequence is left that is wanted and whose cache has room.
    func handOverStep(_ isWanted: (Int) -> Bool) throws -> Bool {
        var running = (steps.last?.sequences ?? []).filter { sequences[$0].hasRoom }
        let wanted = running.filter(isWanted)
        guard !wanted.isEmpty else { return false }
        if 2 * wanted.count <= running.count { running = wanted }
        let states = running.map { sequences[$0] }
        let plan =
            states[0].unfusedCache == nil
            ? try plans.decode(receiver, states) : try responsePlan(states)
        steps.append(Step(execution: try backend.execute(plan, inputs: [], phase: .decode), sequences: running))
        for state in states { state.receiverCache.count += 1 }
        return true
    }

    /// Waits for a sequence's token of a step; 0 is the one `prefill` chose.
    func token(ofStep step: Int, sequence: Int) throws -> Int {
        try backend.wait(steps[step].execution)
        return Int(try backend.readIDs(sequences[sequence].log, step..<step + 1)[0])
    }

    /// The logits `[vocabulary]` of each sequence of the last step, in the step's order, once it is done.
    func stepLogits() throws -> [[Float]] {
        let rows = steps.last?.sequences.count ?? 1
        let logits = try backend.read(try plans.logits(rows: rows, receiver))
        let columns = receiver.description.vocabularySize
        return (0..<rows).map { Array(logits[$0 * columns..<($0 + 1) * columns]) }
    }
}
