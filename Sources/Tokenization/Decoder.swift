/// The bytes of every token, and their text.
///
/// The decoder of byte-level BPE: a token's characters are bytes of the byte alphabet; the bytes of all tokens together
/// are UTF-8. Tokens with a character outside the alphabet stand for their own text.
struct Decoder: Sendable {
    private let bytes: [UInt8]
    /// `bytes[ends[id - 1]..<ends[id]]` is token `id`; ids without a token have no bytes.
    private let ends: [UInt32]

    /// Highest id + 1.
    var vocabularySize: Int { ends.count }

    /// - Throws: `TokenizationError.unsupported` when the decoder is not ByteLevel, alone or as a Sequence of one.
    init(_ node: JSONNode?, vocabulary: Vocabulary, addedTokens: [Int: [UInt8]]) throws {
        guard let node else { throw TokenizationError.unsupported("decoder is missing (supported: ByteLevel)") }
        try Self.check(node)
        let size = max(vocabulary.size, (addedTokens.keys.max() ?? -1) + 1)
        var bytes: [UInt8] = []
        var ends: [UInt32] = []
        ends.reserveCapacity(size)
        for id in 0..<size {
            if let spelling = addedTokens[id].map({ $0[...] }) ?? vocabulary.spelling(of: id) {
                ByteAlphabet.appendBytes(of: spelling, to: &bytes)
            }
            ends.append(UInt32(bytes.count))
        }
        self.bytes = bytes
        self.ends = ends
    }

    private static func check(_ node: JSONNode) throws {
        switch try node.type() {
        case "ByteLevel":
            return
        case "Sequence":
            let decoders = try node.member("decoders").elements()
            guard decoders.count == 1 else {
                throw TokenizationError.unsupported(
                    "\(node.path): a Sequence of \(decoders.count) decoders is not supported (supported: ByteLevel)")
            }
            try check(decoders[0])
        default:
            throw try node.unsupportedType(supported: "ByteLevel, Sequence")
        }
    }

    /// - Throws: `TokenizationError.unknownID`.
    func bytes(of id: Int) throws -> ArraySlice<UInt8> {
        guard ends.indices.contains(id) else {
            throw TokenizationError.unknownID(id, vocabularySize: vocabularySize)
        }
        return bytes[(id == 0 ? 0 : Int(ends[id - 1]))..<Int(ends[id])]
    }
}
