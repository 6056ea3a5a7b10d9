/// What a session keeps of one of its sequences: the caches of all models that read it, and what its tokens are chosen with.
final class SequenceState {
    /// The sequence's place in the session.
    let index: Int
    let receiverCache: KVCache
    /// By sharer; nil where all of its fuser's gates are closed, so that nothing is read from it.
    let sharerCaches: [KVCache?]
    /// The receiver's rows before fusion, where new tokens are fused too.
    let unfusedCache: KVCache?
    /// One u32: the last chosen token.
    let token: any StoredTensor
    /// `[1, 1, capacity + 1]` of u32: the new tokens, in order.
    let log: any StoredTensor
    /// Two u32: the seed of what is drawn at random.
    let seed: any StoredTensor
    /// One u32: the first row that a fusion changes.
    let fusionStart: any StoredTensor
    /// How the rows of the last prompt were read.
    var conditions: [RowCondition] = []
    /// Whether new tokens leave out rows that the receiver's cache flags.
    var hidesRows = false
    /// `[1, 1, vocabulary]`: how often each token was seen; made when first needed.
    private var counts: (any StoredTensor)?

    /// - Parameters:
    ///   - first: the session's first sequence, nil for that one itself; what doesn't differ is taken from it.
    /// - Throws: what the backend throws when memory is exhausted.
    init(
        _ index: Int, receiver: Decoder, sharers: [Sharer], includesResponse: Bool, capacity: Int, prefillChunk: Int,
        cacheType: ElementType, sharing first: SequenceState?, on backend: any Backend
    ) throws {
        func name(_ base: String) -> String { index == 0 ? base : "\(base).sequence\(index)" }
        func numbers(_ base: String, _ columns: Int, _ placement: TensorPlacement = .device) throws -> any StoredTensor
        {
            try backend.makeTensor(name(base), TensorShape(columns: columns), .u32, placement: placement)
        }
        self.index = index
        receiverCache = try KVCache(
            for: receiver, named: name(receiver.name), capacity: capacity, prefillChunk: prefillChunk, type: cacheType,
            ropeTable: first?.receiverCache.ropeTable, on: backend)
        sharerCaches = try sharers.enumerated().map { place, sharer in
            guard sharer.decoder.extent.layerCount > 0 else { return nil }
            return try KVCache(
                for: sharer.decoder, named: name(sharer.decoder.name), capacity: capacity, prefillChunk: prefillChunk,
                type: cacheType,
                ropeTable: first?.sharerCaches[place]?.ropeTable, on: backend)
        }
        unfusedCache =
            includesResponse && !sharers.isEmpty
            ? try KVCache(
                for: receiver, named: name("\(receiver.name).unfused"), capacity: capacity, prefillChunk: prefillChunk,
                type: cacheType,
                ropeTable: receiverCache.ropeTable, on: backend)
            : nil
        token = try numbers("token", 1)
        log = try numbers("token_log", capacity + 1, .hostReadable)
        seed = try numbers("seed", 2)
        fusionStart = try numbers("fusion_start", 1)
    }

    /// All caches there are.
    var caches: [KVCache] { [receiverCache] + sharerCaches.compactMap(\.self) + (unfusedCache.map { [$0] } ?? []) }

    /// How the first rows were read; those of new tokens as the prompt's last section.
    func conditions(ofRows count: Int) -> [RowCondition] {
        let kept = conditions.prefix(count)
        let decoded = RowCondition(sharerMask: nil, hiddenRows: kept.last?.hiddenRows)
        return kept + Array(repeating: decoded, count: count - kept.count)
    }

    /// Whether the receiver can read one more token.
    var hasRoom: Bool { receiverCache.count < receiverCache.capacity }

    func tokenCounts(_ vocabulary: Int, on backend: any Backend) throws -> any StoredTensor {
        if let counts { return counts }
        let made = try backend.makeTensor(
            index == 0 ? "token_counts" : "token_counts.sequence\(index)", TensorShape(columns: vocabulary), .u32,
            placement: .device)
        counts = made
        return made
    }
}
