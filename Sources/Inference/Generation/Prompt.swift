/// The tokens that one model reads, row by row of its cache.
public struct TokenSequence: Sendable, Hashable {
    public var ids: [Int]
    /// Positions that hold a padding token: they take a row, but no prefill attends to them.
    public var padding: Set<Int>

    public init(_ ids: [Int] = [], padding: Set<Int> = []) {
        self.ids = ids
        self.padding = padding
    }

    public var count: Int { ids.count }

    /// How many tokens both begin with.
    func commonPrefix(with other: TokenSequence) -> Int {
        let limit = min(count, other.count)
        return (0..<limit).first { ids[$0] != other.ids[$0] || padding.contains($0) != other.padding.contains($0) }
            ?? limit
    }

    mutating func truncate(to count: Int) {
        guard count < self.count else { return }
        ids.removeSubrange(count...)
        padding = padding.filter { $0 < count }
    }
}

/// What a session is asked to read: for every model a token at each position, and which stretches are fused.
public struct Prompt: Sendable, Hashable {
    public var receiver: TokenSequence
    /// By sharer, each as long as the receiver's; a sharer without an entry reads what the receiver reads. They differ where
    /// tokenizers do (arXiv 2510.03215, section 3.3.3).
    public var sharers: [TokenSequence]
    /// They cover the prompt; the last is never fused, and no sharer sees it.
    public var sections: [Section]
    /// Rows that the last section and new tokens don't see, as if the cache had been cut down to the others once the sections
    /// before had been read.
    public var hiddenRows: Range<Int>?

    public init(_ receiver: TokenSequence, sharers: [TokenSequence] = [], sections: [Section]) {
        self.receiver = receiver
        self.sharers = sharers
        self.sections = sections
    }

    /// A prompt that all models read alike.
    public init(_ ids: [Int], sections: [Section]) {
        self.init(TokenSequence(ids), sections: sections)
    }

    public var count: Int { receiver.count }

    func sequence(ofSharer index: Int) -> TokenSequence {
        index < sharers.count ? sharers[index] : receiver
    }

    /// The prompt's sections from row `start` on.
    func sections(from start: Int) -> [Section] {
        var end = 0
        return sections.compactMap { section in
            end += section.length
            let left = min(section.length, end - start)
            return left > 0 ? Section(length: left, sharerMask: section.sharerMask) : nil
        }
    }

    /// - Throws: `InferenceError.badRequest` where the prompt fits neither itself nor the models.
    func check(receiver decoder: Decoder, sharers decoders: [Decoder], capacity: Int) throws {
        guard count > 0 else {
            throw InferenceError.badRequest("the prompt is empty; give at least one token")
        }
        guard count <= capacity else {
            let limit = ([decoder] + decoders).map(\.description.maximumContext).min() ?? capacity
            throw InferenceError.badRequest(
                "the prompt has \(count) tokens, \(count - capacity) more than the context of \(capacity); "
                    + (capacity < limit
                        ? "shorten it or raise --context" : "shorten it, the models were made for no more"))
        }
        if let hiddenRows, hiddenRows.lowerBound < 0 || hiddenRows.upperBound > count - (sections.last?.length ?? 0) {
            throw InferenceError.badRequest(
                "rows \(hiddenRows) can't be hidden; only rows before the last section can")
        }
        try check(receiver, decoder)
        guard sharers.count <= decoders.count else {
            throw InferenceError.badRequest(
                "the prompt has tokens for \(sharers.count) sharers, there are \(decoders.count)")
        }
        for (index, decoder) in decoders.enumerated() {
            try check(sequence(ofSharer: index), decoder)
        }
        try Section.check(sections, promptLength: count, sharerCount: decoders.count)
    }

    private func check(_ sequence: TokenSequence, _ decoder: Decoder) throws {
        guard sequence.count == count else {
            throw InferenceError.badRequest(
                "\(decoder.name) is given \(sequence.count) tokens, the receiver \(count); pad the shorter one")
        }
        let size = decoder.description.vocabularySize
        if let id = sequence.ids.first(where: { $0 < 0 || $0 >= size }) {
            throw InferenceError.badRequest(
                "token id \(id) is outside the vocabulary of \(decoder.name), which has \(size) rows")
        }
    }
}
