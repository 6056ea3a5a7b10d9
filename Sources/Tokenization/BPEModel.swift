/// Byte-pair encoding over the byte alphabet (Sennrich et al., arXiv 1508.07909; bytes as in GPT-2): a piece of text
/// starts as one symbol for each byte, and the pair with the lowest merge rank is joined, the leftmost first, until
/// no pair of neighbours has a merge.
struct BPEModel: Sendable {
    let vocabulary: Vocabulary
    /// (left id, right id) -> rank in the high half, id of the joined token in the low half. Comparing two values
    /// compares ranks.
    let merges: PairTable
    /// The id of each byte's one-character token, `Self.noToken` where the vocabulary lacks it.
    private let byteIDs: [UInt32]
    private let unknownID: UInt32
    private let fusesUnknown: Bool
    private let ignoresMerges: Bool

    private static let noToken = UInt32.max

    /// - Parameters:
    ///   - unknownToken: stands for bytes the vocabulary lacks; with nil such bytes are dropped.
    ///   - fusesUnknown: one unknown token for a run of such bytes.
    ///   - ignoresMerges: a piece that is a token as a whole becomes that token, whatever the merges say.
    /// - Throws: `TokenizationError.invalidFile` when `unknownToken` is not in the vocabulary.
    init(
        vocabulary: Vocabulary, merges: PairTable, unknownToken: String?, fusesUnknown: Bool, ignoresMerges: Bool
    ) throws {
        self.vocabulary = vocabulary
        self.merges = merges
        self.fusesUnknown = fusesUnknown
        self.ignoresMerges = ignoresMerges
        byteIDs = (0...255).map { (byte: UInt8) in
            var spelling: [UInt8] = []
            ByteAlphabet.appendSpelling(of: CollectionOfOne(byte), to: &spelling)
            return vocabulary.id(of: spelling).map(UInt32.init) ?? Self.noToken
        }
        if let unknownToken {
            guard let id = vocabulary.id(of: Array(unknownToken.utf8)) else {
                throw TokenizationError.invalidFile(
                    "model.unk_token \(quoted(unknownToken)) is not in model.vocab")
            }
            unknownID = UInt32(id)
        } else {
            unknownID = Self.noToken
        }
    }

    /// Appends the ids of one piece of pre-tokenized text.
    func encode(_ piece: UnsafeBufferPointer<UInt8>, with workspace: inout BPEWorkspace, into ids: inout [Int]) {
        if workspace.cache.lookUp(piece, into: &ids) { return }
        let start = ids.count
        if let whole = wholeToken(piece, &workspace) {
            ids.append(whole)
        } else {
            fillSymbols(piece, &workspace)
            if workspace.symbols.count <= BPEWorkspace.scanLimit {
                workspace.mergeByScanning(merges)
            } else {
                workspace.mergeByHeap(merges)
            }
            for symbol in workspace.symbols { ids.append(Int(symbol)) }
        }
        workspace.cache.store(piece, ids[start...])
    }

    private func wholeToken(_ piece: UnsafeBufferPointer<UInt8>, _ workspace: inout BPEWorkspace) -> Int? {
        guard ignoresMerges else { return nil }
        workspace.spelling.removeAll(keepingCapacity: true)
        ByteAlphabet.appendSpelling(of: piece, to: &workspace.spelling)
        return vocabulary.id(of: workspace.spelling)
    }

    private func fillSymbols(_ piece: UnsafeBufferPointer<UInt8>, _ workspace: inout BPEWorkspace) {
        workspace.symbols.removeAll(keepingCapacity: true)
        var isAfterUnknown = false
        for byte in piece {
            let id = byteIDs[Int(byte)]
            if id != Self.noToken {
                workspace.symbols.append(id)
                isAfterUnknown = false
            } else if unknownID != Self.noToken {
                if !(isAfterUnknown && fusesUnknown) { workspace.symbols.append(unknownID) }
                isAfterUnknown = true
            }
        }
    }
}
