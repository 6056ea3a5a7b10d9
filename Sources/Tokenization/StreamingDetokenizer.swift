/// Turns ids into text as they come. What `append` and `finish` return, put together, is what `Tokenizer.decode` returns for
/// all the ids at once; a character whose bytes are spread over several tokens comes out whole, with the last of them.
///
/// A value of its own for each stream of ids; copies go separate ways.
public struct StreamingDetokenizer: Sendable {
    private let tokenizer: Tokenizer
    private let skipsSpecialTokens: Bool
    /// The beginning of a character, at most three bytes.
    private var pending: [UInt8] = []

    public init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool) {
        self.tokenizer = tokenizer
        skipsSpecialTokens = skipSpecialTokens
    }

    /// The text that `id` completes; empty when it ends within a character.
    ///
    /// - Throws: `TokenizationError.unknownID`; the stream can go on with other ids.
    public mutating func append(_ id: Int) throws -> String {
        let bytes = try tokenizer.tokenBytes(id)
        if skipsSpecialTokens && tokenizer.isSpecial(id) { return "" }
        pending += bytes
        let complete = pending.count - Self.incompleteSuffix(pending)
        let text = String(decoding: pending[..<complete], as: UTF8.self)
        pending.removeSubrange(..<complete)
        return text
    }

    /// What is left when no id follows: U+FFFD if the last character is incomplete, nothing otherwise. The stream is then as new.
    public mutating func finish() -> String {
        defer { pending = [] }
        return String(decoding: pending, as: UTF8.self)
    }

    /// How many bytes at the end may be the beginning of a valid character (Unicode 15, table 3-7).
    private static func incompleteSuffix(_ bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let lead = bytes[bytes.count - length]
            if lead & 0xC0 == 0x80 { continue }
            let needed = lead >= 0xF5 ? 0 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0
            guard length < needed else { return 0 }
            if length == 1 { return 1 }
            // The second byte is restricted after some first bytes: no overlong forms, surrogates, or beyond U+10FFFF.
            let second = bytes[bytes.count - length + 1]
            let allowed: ClosedRange<UInt8> =
                switch lead {
                case 0xE0: 0xA0...0xBF
                case 0xED: 0x80...0x9F
                case 0xF0: 0x90...0xBF
                case 0xF4: 0x80...0x8F
                default: 0x80...0xBF
                }
            return allowed.contains(second) ? length : 0
        }
        return 0
    }
}
