import Checkpoints
import Inference
import Tokenization

public typealias AlignmentStrategy = FuserTraining.AlignmentStrategy

/// Pairs the tokens of a receiver with those of a sharer whose tokenizer differs (arXiv 2510.03215, section 3.3.3).
///
/// What the two chat templates make of a conversation is cut where messages' texts begin and end. Within a message each of
/// the receiver's tokens gets one of the sharer's; between messages both sides keep their own, and the shorter is padded.
public struct TokenAligner {
    private let receiver: ModelText
    private let sharer: ModelText
    private let strategy: AlignmentStrategy?

    /// - Parameter strategy: how the sharer's token for one of the receiver's is chosen; nil where both have the same tokens, and
    ///   only what stands between the messages differs.
    public init(receiver: ModelText, sharer: ModelText, strategy: AlignmentStrategy?) {
        self.receiver = receiver
        self.sharer = sharer
        self.strategy = strategy
    }

    /// What became of a conversation.
    public struct Aligned {
        /// Equally many tokens on both sides, fused within the messages.
        public var prompt: Prompt
        /// The messages that one side's template changes, as many do with white space at the ends. They are part of what stands
        /// between the messages, which isn't fused.
        public var unfused: [UnfusedMessage]
    }

    public struct UnfusedMessage: Hashable, Sendable, CustomStringConvertible {
        /// Index of the message.
        public var message: Int
        /// Whose template changes it: `receiver` or `sharer`.
        public var side: String

        public var description: String {
            "message \(message + 1) doesn't stand as it is in what the \(side)'s chat template makes of it (white space at "
                + "its ends, perhaps), so it is left unfused, as will be others like it"
        }
    }

    /// - Parameters:
    ///   - receiverText, sharerText: the conversation as each side's template renders it.
    ///   - messages: the messages' texts.
    ///   - addsSpecialTokens: whether both sides' tokenizers put theirs around the texts.
    /// - Throws: `ChatError.misaligned` where a side needs padding and has no token for it; `TokenizationError`.
    public func align(
        receiverText: String, sharerText: String, messages: [String], addsSpecialTokens: Bool = false
    ) throws -> Aligned {
        let left = try Side(receiver, receiverText, addsSpecialTokens)
        let right = try Side(sharer, sharerText, addsSpecialTokens)
        var (leftPlaces, rightPlaces): ([Range<Int>], [Range<Int>]) = ([], [])
        var unfused: [UnfusedMessage] = []
        var (leftStart, rightStart) = (0, 0)
        for (index, message) in messages.enumerated() where !message.isEmpty {
            let found = (
                try left.place(of: message, from: leftStart), try right.place(of: message, from: rightStart)
            )
            leftStart = found.0?.upperBound ?? leftStart
            rightStart = found.1?.upperBound ?? rightStart
            if let leftPlace = found.0, let rightPlace = found.1 {
                leftPlaces.append(leftPlace)
                rightPlaces.append(rightPlace)
            } else {
                unfused.append(UnfusedMessage(message: index, side: found.0 == nil ? "receiver" : "sharer"))
            }
        }
        let prompt = try prompt(left.pieces(leftPlaces), right.pieces(rightPlaces))
        return Aligned(prompt: prompt, unfused: unfused)
    }

    private func prompt(_ receiverPieces: [Piece], _ sharerPieces: [Piece]) throws -> Prompt {
        var prompt = Prompt(TokenSequence(), sharers: [TokenSequence()], sections: [])
        for (left, right) in zip(receiverPieces, sharerPieces) {
            let length: Int
            if left.isMessage {
                length = left.ids.count
                prompt.receiver.ids += left.ids
                prompt.sharers[0].ids += try strategy == nil ? Array(left.ids) : left.ids.map(counterpart)
            } else {
                length = max(left.ids.count, right.ids.count)
                try Self.append(left.ids, paddedTo: length, to: &prompt.receiver, receiver, side: "receiver")
                try Self.append(right.ids, paddedTo: length, to: &prompt.sharers[0], sharer, side: "sharer")
            }
            if length > 0 { prompt.sections.append(Section(length: length, sharerMask: left.isMessage ? 1 : -1)) }
        }
        return prompt
    }

    private static func append(
        _ ids: ArraySlice<Int>, paddedTo length: Int, to sequence: inout TokenSequence, _ model: ModelText, side: String
    ) throws {
        sequence.ids += ids
        guard ids.count < length else { return }
        guard let padding = model.id(.padding) ?? model.id(.end) else {
            throw ChatError.misaligned(
                "the \(side)'s tokenizer_config.json names neither pad_token nor eos_token, and one is needed to align it"
            )
        }
        let start = sequence.count
        sequence.ids += Array(repeating: padding, count: length - ids.count)
        sequence.padding.formUnion(start..<sequence.count)
    }

    // MARK: Cutting

    /// A stretch of tokens, in turns between messages (maybe empty) and within one.
    private struct Piece {
        var ids: ArraySlice<Int>
        var isMessage: Bool
    }

    /// What one side reads.
    private struct Side {
        let tokenizer: Tokenizer
        let ids: [Int]
        /// Of each token. Tokens are of the text as the tokenizer normalizes it, so messages are looked for in that.
        let tokens: [[UInt8]]
        let bytes: [UInt8]

        init(_ model: ModelText, _ text: String, _ addsSpecialTokens: Bool) throws {
            let tokenizer = model.tokenizer
            self.tokenizer = tokenizer
            ids = try model.ids(of: text, addsSpecialTokens: addsSpecialTokens)
            tokens = try ids.map { try tokenizer.tokenBytes($0) }
            bytes = tokens.flatMap { $0 }
        }

        /// The bytes of a message, nil where it doesn't stand there as it is.
        func place(of message: String, from start: Int) throws -> Range<Int>? {
            let encoded = try tokenizer.encode(message, addSpecialTokens: false)
            let content = Array(try encoded.flatMap { try tokenizer.tokenBytes($0) })
            return TokenAligner.place(of: content, in: bytes, from: start).map { $0..<$0 + content.count }
        }

        /// Cuts at messages.
        func pieces(_ messages: [Range<Int>]) -> [Piece] {
            var pieces: [Piece] = []
            var (token, tokenStart) = (0, 0)
            /// The first token from `token` on that ends beyond, or begins at or beyond, a byte.
            func advance(while isBefore: (_ start: Int, _ end: Int) -> Bool) {
                while token < ids.count, isBefore(tokenStart, tokenStart + tokens[token].count) {
                    tokenStart += tokens[token].count
                    token += 1
                }
            }
            for place in messages {
                let start = token
                advance { $1 <= place.lowerBound }
                pieces.append(Piece(ids: ids[start..<token], isMessage: false))
                let first = token
                advance { start, _ in start < place.upperBound }
                pieces.append(Piece(ids: ids[first..<token], isMessage: true))
            }
            pieces.append(Piece(ids: ids[token...], isMessage: false))
            return pieces
        }
    }

    /// Where a message stands: at best where a special token follows it, or nothing, since its words may also occur in what
    /// the template says.
    private static func place(of content: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard content.count <= bytes.count, start <= bytes.count - content.count else { return nil }
        var first: Int?
        for place in start...(bytes.count - content.count) where bytes[place...].starts(with: content) {
            let end = place + content.count
            if end == bytes.count || bytes[end] == UInt8(ascii: "<") { return place }
            first = first ?? place
        }
        return first
    }

    // MARK: Pairing

    /// The sharer's token for one of the receiver's.
    private func counterpart(_ id: Int) throws -> Int {
        let text = try receiver.tokenizer.decode([id], skipSpecialTokens: false)
        let unknown = sharer.id(.unknown)
        if receiver.specialIDs.contains(id) {
            for role in [SpecialTokens.Role.padding, .end, .beginning, .unknown] where receiver.id(role) == id {
                if let counterpart = sharer.id(role) ?? (role == .padding ? sharer.id(.end) : nil) {
                    return counterpart
                }
            }
            return sharer.tokenizer.id(of: text) ?? unknown ?? 0
        }
        let ids = try sharer.tokenizer.encode(text, addSpecialTokens: false)
        guard strategy == .longest else { return ids.first ?? unknown ?? 0 }
        var longest: (id: Int, length: Int)?
        for id in ids {
            // In Unicode scalars, as Python counts.
            let length = try sharer.tokenizer.decode([id], skipSpecialTokens: false).unicodeScalars.count
            if length > longest?.length ?? 0 { longest = (id, length) }
        }
        return longest?.id ?? ids.first ?? unknown ?? 0
    }
}
