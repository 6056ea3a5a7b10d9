/// The added tokens of a tokenizer, ready to be found in text.
struct AddedTokens: Sendable {
    private let vocabulary: AddedVocabulary
    /// What each stands for in text; in normal form where that is what is sought.
    let spellings: [Int: [UInt8]]
    private let beforeNormalization: TokenTrie
    private let afterNormalization: TokenTrie

    enum Segment: Equatable {
        case text(Range<Int>)
        case token(Int)
    }

    /// - Parameter splitsSpecialTokens: text that looks like a special token is text all the same.
    init(_ vocabulary: AddedVocabulary, normalizer: Normalizer, splitsSpecialTokens: Bool) {
        self.vocabulary = vocabulary
        var spellings = vocabulary.tokens.mapValues(\.content)
        var literal = TokenTrie()
        var normalized = TokenTrie()
        let tokens = vocabulary.tokens.sorted { $0.key < $1.key }
        // Where two tokens have one normal form, a special one goes first.
        for (id, token) in tokens.filter(\.value.isSpecial) + tokens.filter({ !$0.value.isSpecial }) {
            if splitsSpecialTokens, vocabulary.isSpecial(token.content) { continue }
            if token.isNormalized {
                let content = normalizer.normalize(token.content[...]) ?? token.content
                normalized.insert(content, token, id)
                spellings[id] = content
            } else {
                literal.insert(token.content, token, id)
            }
        }
        self.spellings = spellings
        beforeNormalization = literal
        afterNormalization = normalized
    }

    func id(of content: [UInt8]) -> Int? { vocabulary.id(of: content) }

    /// Whether `id` is an added token that is special.
    func isSpecial(_ id: Int) -> Bool { vocabulary.tokens[id].map { vocabulary.isSpecial($0.content) } ?? false }

    /// Cuts `text` (valid UTF-8, as given by the user) at the tokens that are sought before normalization.
    func segments(beforeNormalization text: ArraySlice<UInt8>) -> [Segment] {
        Self.segments(of: text, beforeNormalization)
    }

    /// Cuts normalized text at the tokens that are sought after normalization.
    func segments(afterNormalization text: ArraySlice<UInt8>) -> [Segment] {
        Self.segments(of: text, afterNormalization)
    }

    /// From left to right, the longest token at each position; ranges are indices of `text`.
    private static func segments(of text: ArraySlice<UInt8>, _ trie: TokenTrie) -> [Segment] {
        guard !trie.isEmpty else { return [.text(text.startIndex..<text.endIndex)] }
        var result: [Segment] = []
        var index = text.startIndex
        var textStart = text.startIndex
        var space = text.startIndex..<text.startIndex
        while let (token, id, found) = trie.firstMatch(in: text, from: index) {
            index = found.upperBound
            if token.isSingleWord {
                let before = TextProperties.scalar(before: found.lowerBound, in: text)
                let after = TextProperties.scalar(at: found.upperBound, in: text)
                if before.map(TextProperties.isWord) ?? false || after.map(TextProperties.isWord) ?? false { continue }
            }
            var start = found.lowerBound
            var end = found.upperBound
            if token.stripsLeft {
                start = TextProperties.spaceStart(before: start, in: text, notBefore: textStart)
            }
            if token.stripsRight {
                // Remembering the run keeps tokens that are themselves white space from rescanning it.
                if !space.contains(end) { space = end..<TextProperties.spaceEnd(from: end, in: text) }
                end = space.isEmpty ? end : space.upperBound
            }
            // The token before may have taken this one, itself white space, along.
            guard start < end else { continue }
            if textStart < start { result.append(.text(textStart..<start)) }
            result.append(.token(id))
            textStart = end
        }
        if textStart < text.endIndex { result.append(.text(textStart..<text.endIndex)) }
        return result
    }
}

/// Finds the longest of many byte strings.
private struct TokenTrie: Sendable {
    /// (node, byte) -> child node.
    private var children = PairTable()
    /// The token that ends at each node, and its id.
    private var endings: [(token: AddedToken, id: Int)?] = [nil]
    private var firstBytes = [Bool](repeating: false, count: 256)

    var isEmpty: Bool { endings.count == 1 }

    mutating func insert(_ content: [UInt8], _ token: AddedToken, _ id: Int) {
        // An empty token would be found everywhere; the file format's own library passes over it.
        guard let first = content.first else { return }
        firstBytes[Int(first)] = true
        var node: UInt32 = 0
        for byte in content {
            let child = children.value(node, UInt32(byte))
            if child == PairTable.absent {
                children.insert(node, UInt32(byte), UInt64(endings.count))
                node = UInt32(endings.count)
                endings.append(nil)
            } else {
                node = UInt32(child)
            }
        }
        // The first of two with the same content keeps its place.
        if endings[Int(node)] == nil { endings[Int(node)] = (token, id) }
    }

    func firstMatch(in text: ArraySlice<UInt8>, from start: Int) -> (AddedToken, Int, Range<Int>)? {
        var index = start
        while index < text.endIndex {
            if firstBytes[Int(text[index])] {
                var node: UInt32 = 0
                var longest: (AddedToken, Int, Range<Int>)?
                var end = index
                while end < text.endIndex {
                    let child = children.value(node, UInt32(text[end]))
                    if child == PairTable.absent { break }
                    node = UInt32(child)
                    end += 1
                    if let (token, id) = endings[Int(node)] { longest = (token, id, index..<end) }
                }
                if let longest { return longest }
            }
            index += 1
        }
        return nil
    }
}
