/// A model whose cache the receiver is given, with the fuser that translates it.
public struct Sharer {
    public var decoder: Decoder
    public var fuser: Fuser

    public init(decoder: Decoder, fuser: Fuser) {
        self.decoder = decoder
        self.fuser = fuser
    }
}

/// One sequence: the KV-caches of a receiver and its sharers, and the plans that work on them.
///
/// Nothing here waits for the device except where a token, or a tensor, is read.
public final class Session {
    public let backend: any Backend
    public let receiver: Decoder
    public let sharers: [Sharer]
    public let fusionMode: FusionMode
    public let receiverCache: KVCache
    /// By sharer; nil where all of its fuser's gates are closed, so that nothing is read from it.
    public let sharerCaches: [KVCache?]
    /// The receiver's rows before fusion, where new tokens are fused too.
    let unfusedCache: KVCache?

    let plans: SessionPlans
    /// The new tokens' ids, in order.
    private let log: any StoredTensor
    /// Whether new tokens leave out rows that the receiver's cache flags.
    private var hidesRows = false
    /// The runs that choose each new token, by step.
    var stepExecutions: [Execution] = []

    /// - Parameters:
    ///   - includesResponse: new tokens are projected too: for each, every model runs a step on its own unfused cache, and
    ///     the receiver attends to the fused row in that same step. So is the prompt's last token.
    ///   - capacity: tokens that the caches have room for, prompt and answer together.
    ///   - cacheType: f32, f16, bf16 or q8_0.
    ///   - prefillChunk: the most tokens that run as one; it bounds scratch memory.
    /// - Throws: `InferenceError.mismatch` for a fuser that doesn't fit its models; what the backend throws when
    ///   memory is exhausted.
    public init(
        on backend: any Backend, receiver: Decoder, sharers: [Sharer] = [], fusionMode: FusionMode = .sequential,
        includesResponse: Bool = false, capacity: Int, cacheType: ElementType = .f16, prefillChunk: Int = 512
    ) throws {
        for sharer in sharers {
            try sharer.fuser.description.check(
                name: sharer.fuser.name, receiver: receiver.description, sharer: sharer.decoder.description)
        }
        self.backend = backend
        self.receiver = receiver
        self.sharers = sharers
        self.fusionMode = fusionMode
        receiverCache = try KVCache(for: receiver, capacity: capacity, type: cacheType, on: backend)
        sharerCaches = try sharers.map { sharer in
            guard sharer.decoder.extent.layerCount > 0 else { return nil }
            return try KVCache(for: sharer.decoder, capacity: capacity, type: cacheType, on: backend)
        }
        unfusedCache =
            includesResponse && !sharers.isEmpty
            ? try KVCache(
                for: receiver, named: "\(receiver.name).unfused", capacity: capacity, type: cacheType, on: backend)
            : nil
        log = try backend.makeTensor(
            "token_log", TensorShape(columns: capacity + 1), .u32, placement: .hostReadable)
        plans = try SessionPlans(backend: backend, log: log, prefillChunk: prefillChunk)
    }

    /// Bytes of all caches as stored.
    public var cacheBytes: Int {
        receiverCache.byteCount + (unfusedCache?.byteCount ?? 0) + sharerCaches.reduce(0) { $0 + ($1?.byteCount ?? 0) }
    }

    /// Prefills the prompt section by section, fuses, and chooses the first new token.
    ///
    /// - Parameters:
    ///   - keepsPrefix: leaves the rows that the caches already hold of this prompt as they are, answers that were decoded
    ///     included, and works only from the first differing token on. Sharers first read what they have missed.
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
        try sampling.check()
        try prompt.check(
            receiver: receiver, sharers: sharers.map(\.decoder), capacity: receiverCache.capacity)
        let kept = keepsPrefix ? try keptRows(of: prompt) : 0
        if plans.hasTooManyPlans {
            // Runs end in the order they began.
            if let last = stepExecutions.last { try backend.wait(last) }
            plans.forgetPlans()
        }
        plans.sampling = sampling
        receiverCache.truncate(to: kept)
        sharerCaches.forEach { $0?.truncate(to: kept) }
        unfusedCache?.truncate(to: kept)
        stepExecutions = []

        let sections = prompt.sections(from: kept)
        for (index, section) in sections.enumerated() {
            let isLast = index == sections.count - 1
            let start = receiverCache.count
            let end = start + section.length
            if !isLast {
                for (index, cache) in sharerCaches.enumerated() {
                    guard let cache else { continue }
                    try run(prompt.sequence(ofSharer: index), to: end, sharers[index].decoder, cache, .sharerPrefill)
                }
            }
            hidesRows = isLast && prompt.hiddenRows != nil
            if isLast, let unfusedCache {
                guard !hidesRows else {
                    throw InferenceError.badRequest("rows can't be hidden while the answer is fused too")
                }
                try respond(to: prompt, unfusedCache)
                break
            }
            try run(
                prompt.receiver, to: end, receiver, receiverCache, .receiverPrefill, choosesToken: isLast,
                hiddenRows: isLast ? prompt.hiddenRows : nil, onLogits: onLogits)
            if !isLast && section.sharerMask > 0 {
                try fuse(start: start, count: section.length, mask: section.sharerMask)
            }
        }
        return kept
    }

    /// How many of the prompt's rows the caches already hold, at most all but the last.
    private func keptRows(of prompt: Prompt) throws -> Int {
        if let last = stepExecutions.last {
            // The rows of decoded tokens were handed over before the host knew which tokens they hold.
            try backend.wait(last)
            let decoded = receiverCache.count - receiverCache.contents.count
            receiverCache.contents.ids += try backend.readIDs(log, 0..<decoded).map { Int($0) }
        }
        var kept = min(receiverCache.contents.commonPrefix(with: prompt.receiver), prompt.count - 1)
        for (index, cache) in sharerCaches.enumerated() {
            guard let cache else { continue }
            let common = cache.contents.commonPrefix(with: prompt.sequence(ofSharer: index))
            // A sharer may lag behind, but rows fused from other tokens are of no use.
            if common < cache.contents.count { kept = min(kept, common) }
        }
        return kept
    }

    /// Hands one more decode step over: the receiver reads the last chosen token and chooses the next.
    ///
    /// - Returns: false when the cache is full.
    func handOverStep() throws -> Bool {
        guard receiverCache.count < receiverCache.capacity else { return false }
        let plan =
            try unfusedCache.map { try responsePlan($0) }
            ?? plans.decode(receiver, receiverCache, hidesPadding: hidesRows)
        stepExecutions.append(try backend.execute(plan, inputs: [], phase: .decode))
        receiverCache.count += 1
        return true
    }

    /// Waits for the token of a step; 0 is the one `prefill` chose.
    func token(ofStep step: Int) throws -> Int {
        try backend.wait(stepExecutions[step])
        return Int(try backend.readIDs(log, step..<step + 1)[0])
    }

    /// Steps that have been handed over, the prompt's included.
    var stepCount: Int { stepExecutions.count }

    /// The logits `[vocabulary]` that chose the last token, once its step is done.
    public func lastLogits() throws -> [Float] {
        try backend.read(try plans.logits(rows: 1, receiver))
    }

    /// Prefills the tokens that the cache lacks, up to row `end`.
    func run(
        _ sequence: TokenSequence, to end: Int, _ decoder: Decoder, _ cache: KVCache, _ phase: Phase,
        choosesToken: Bool = false, hiddenRows: Range<Int>? = nil, onLogits: (([Float]) throws -> Void)? = nil
    ) throws {
        let chunk = plans.chunk(for: decoder, allLogits: onLogits != nil)
        for first in stride(from: cache.count, to: end, by: chunk) {
            let range = first..<min(first + chunk, end)
            let isEnd = range.upperBound == end
            let hidesPadding = hiddenRows != nil || sequence.padding.contains { $0 < range.upperBound }
            let form = SessionPlans.PrefillForm(
                tokens: range.count, hidesPadding: hidesPadding, choosesToken: choosesToken && isEnd,
                allLogits: onLogits != nil)
            let plan = try plans.prefill(form, decoder, cache)
            var inputs = [
                PlanInput(plans.ids, sequence.ids[range].map { UInt32($0) }),
                PlanInput(cache.position, [UInt32(first)]),
            ]
            if hidesPadding {
                // Decoding goes on with the flags of hidden rows, so those of rows to come are written too.
                let flags = (0..<(hiddenRows == nil ? range.upperBound : cache.capacity)).map { row in
                    UInt32(sequence.padding.contains(row) || hiddenRows?.contains(row) ?? false ? 1 : 0)
                }
                inputs.append(PlanInput(cache.padding, flags))
            }
            if choosesToken && isEnd { inputs += try plans.choiceInputs(sequence, decoder) }
            let execution = try backend.execute(plan, inputs: inputs, phase: phase)
            cache.append(sequence, range)
            if let onLogits {
                try onLogits(try backend.read(try plans.logits(rows: range.count, decoder)))
            }
            if choosesToken && isEnd { stepExecutions = [execution] }
        }
    }

    private func fuse(start: Int, count: Int, mask: Int) throws {
        let sources = sources(mask: mask)
        guard !sources.isEmpty else { return }
        let chunk = plans.fusionChunk(sources.map(\.fuser))
        for first in stride(from: 0, to: count, by: chunk) {
            let plan = try plans.fusion(
                min(chunk, count - first), receiverCache, sources, mode: fusionMode)
            try backend.execute(
                plan, inputs: [PlanInput(plans.fusionStart, [UInt32(start + first)])], phase: .fusion)
        }
    }

    /// The sharers a mask names, where they have something to project.
    func sources(mask: Int) -> [FuserGraph.Source] {
        zip(sharers, sharerCaches).enumerated().compactMap { index, pair in
            guard mask & (1 << index) != 0, let cache = pair.1, !pair.0.fuser.description.open.isEmpty else {
                return nil
            }
            return FuserGraph.Source(fuser: pair.0.fuser, cache: cache)
        }
    }
}
