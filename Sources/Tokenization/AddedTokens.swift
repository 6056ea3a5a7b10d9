/// One entry of `added_tokens`: text that becomes a token before the model sees it.
struct AddedToken: Sendable {
    let id: Int
    /// UTF-8, as written in the file.
    let content: [UInt8]
    /// Only where no word character stands beside it.
    let isSingleWord: Bool
    /// Takes the white space before (after) it along.
    let stripsLeft: Bool
    let stripsRight: Bool
    /// Sought in the normalized text rather than in the text as given.
    let isNormalized: Bool
    let isSpecial: Bool

    /// Longer than any published, in bytes; bounds the work at each position of a text.
    private static let contentLimit = 1024

    init(_ node: JSONNode) throws {
        id = try node.member("id").integer()
        content = Array(try node.member("content").string().utf8)
        isSingleWord = try node.member("single_word").bool()
        stripsLeft = try node.member("lstrip").bool()
        stripsRight = try node.member("rstrip").bool()
        isNormalized = try node.member("normalized").bool()
        isSpecial = try node.member("special").bool()
        guard (0..<Vocabulary.idLimit).contains(id) else {
            throw TokenizationError.invalidFile("\(node.path).id is \(id), expected 0..<\(Vocabulary.idLimit)")
        }
        guard content.count <= Self.contentLimit else {
            throw TokenizationError.invalidFile("\(node.path).content is longer than \(Self.contentLimit) bytes")
        }
    }
}

/// The added tokens of a tokenizer, ready to be found in text.
struct AddedTokens: Sendable {
    let tokens: [AddedToken]
    private let idsByContent: [[UInt8]: Int]
    private let specialIDs: Set<Int>
    private let beforeNormalization: TokenTrie
    private let afterNormalization: TokenTrie

    enum Segment: Equatable {
        case text(Range<Int>)
        case token(Int)
    }

    /// - Throws: `TokenizationError.invalidFile` where an added token contradicts the vocabulary or another one.
    init(_ tokens: [AddedToken], vocabulary: Vocabulary, normalizer: Normalizer) throws {
        var idsByContent: [[UInt8]: Int] = [:]
        var contentsByID: [Int: [UInt8]] = [:]
        var literal = TokenTrie()
        var normalized = TokenTrie()
        for token in tokens where !token.content.isEmpty {
            let name = "added_tokens: \(quoted(token.content))"
            if let id = vocabulary.id(of: token.content), id != token.id {
                throw TokenizationError.invalidFile("\(name) has id \(token.id), model.vocab gives it \(id)")
            }
            let holder = contentsByID[token.id] ?? vocabulary.spelling(of: token.id).map(Array.init)
            if let holder, holder != token.content {
                throw TokenizationError.invalidFile("\(name) has id \(token.id), which is \(quoted(holder))'s")
            }
            guard idsByContent.updateValue(token.id, forKey: token.content) == nil else {
                throw TokenizationError.invalidFile("\(name) appears twice")
            }
            contentsByID[token.id] = token.content
        }
        // Where two tokens have one normal form, a special one goes first.
        for token in tokens.filter(\.isSpecial) + tokens.filter({ !$0.isSpecial }) {
            if token.isNormalized {
                normalized.insert(normalizer.normalize(token.content[...]) ?? token.content, token)
            } else {
                literal.insert(token.content, token)
            }
        }
        self.tokens = tokens.filter { !$0.content.isEmpty }
        self.idsByContent = idsByContent
        specialIDs = Set(self.tokens.filter(\.isSpecial).map(\.id))
        beforeNormalization = literal
        afterNormalization = normalized
    }

    func id(of content: [UInt8]) -> Int? { idsByContent[content] }

    func isSpecial(_ id: Int) -> Bool { specialIDs.contains(id) }

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
        while let (token, found) = trie.firstMatch(in: text, from: index) {
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
            result.append(.token(token.id))
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
    /// The token that ends at each node.
    private var endings: [AddedToken?] = [nil]
    private var firstBytes = [Bool](repeating: false, count: 256)

    var isEmpty: Bool { endings.count == 1 }

    mutating func insert(_ content: [UInt8], _ token: AddedToken) {
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
        if endings[Int(node)] == nil { endings[Int(node)] = token }
    }

    func firstMatch(in text: ArraySlice<UInt8>, from start: Int) -> (AddedToken, Range<Int>)? {
        var index = start
        while index < text.endIndex {
            if firstBytes[Int(text[index])] {
                var node: UInt32 = 0
                var longest: (AddedToken, Range<Int>)?
                var end = index
                while end < text.endIndex {
                    let child = children.value(node, UInt32(text[end]))
                    if child == PairTable.absent { break }
                    node = UInt32(child)
                    end += 1
                    if let token = endings[Int(node)] { longest = (token, index..<end) }
                }
                if let longest { return longest }
            }
            index += 1
        }
        return nil
    }
}
