/// Text that becomes a token before the model sees it, and how it is found.
struct AddedToken: Sendable, Hashable {
    /// UTF-8, as written in the file.
    var content: [UInt8]
    /// Only where no word character stands beside it.
    var isSingleWord = false
    /// Takes the white space before (after) it along.
    var stripsLeft = false
    var stripsRight = false
    /// Sought in the normalized text rather than in the text as given.
    var isNormalized = false
    var isSpecial = false

    var text: String { String(decoding: content, as: UTF8.self) }

    /// Longer than any published, in bytes; bounds the work at each position of a text.
    private static let contentLimit = 1024

    /// A special token of which nothing but its text is known.
    init(special content: [UInt8]) {
        self.content = content
        isSpecial = true
    }

    /// An entry of tokenizer.json's `added_tokens`, which says everything.
    init(entry node: JSONNode) throws {
        content = Array(try node.member("content").string().utf8)
        isSingleWord = try node.member("single_word").bool()
        stripsLeft = try node.member("lstrip").bool()
        stripsRight = try node.member("rstrip").bool()
        isNormalized = try node.member("normalized").bool()
        isSpecial = try node.member("special").bool()
        try check(node)
    }

    /// A token as the other files write it: as its text, which makes it special, or as an object, which may leave out all but
    /// the text.
    init(settings node: JSONNode, isSpecial fallback: Bool) throws {
        if case .string(let text) = node.value {
            self.init(special: Array(text.utf8))
            try check(node)
            return
        }
        guard case .object = node.value else {
            throw TokenizationError.invalidFile("\(node.path) is \(node.value.kind), no token; write its text")
        }
        func flag(_ key: String) throws -> Bool? { try node.optionalMember(key)?.bool() }
        self.init(special: Array(try node.member("content").string().utf8))
        isSingleWord = try flag("single_word") ?? false
        stripsLeft = try flag("lstrip") ?? false
        stripsRight = try flag("rstrip") ?? false
        isSpecial = try flag("special") ?? fallback
        isNormalized = try flag("normalized") ?? !isSpecial
        try check(node)
    }

    private func check(_ node: JSONNode) throws {
        guard content.count <= Self.contentLimit else {
            throw TokenizationError.invalidFile("\(node.path).content is longer than \(Self.contentLimit) bytes")
        }
    }
}

/// The tokens that were added to a model's vocabulary, with the ids they get. Ids that files name don't count: as in the
/// format's own library (huggingface/tokenizers, `AddedVocabulary`), a token the model has keeps its id, and
/// a new one gets the next that is free.
struct AddedVocabulary: Sendable {
    private let model: Vocabulary
    /// By id.
    private(set) var tokens: [Int: AddedToken] = [:]
    private var idsByContent: [[UInt8]: Int] = [:]
    /// What was special once stays so.
    private var specialContents: Set<[UInt8]> = []
    private var highestID = -1

    init(_ model: Vocabulary) {
        self.model = model
    }

    func id(of content: [UInt8]) -> Int? { idsByContent[content] }

    func isSpecial(_ content: [UInt8]) -> Bool { specialContents.contains(content) }

    /// Adds a token; one that is there already takes on the new flags. An empty one would be found everywhere and is
    /// passed over.
    ///
    /// - Throws: `TokenizationError.invalidFile` where ids run out.
    mutating func add(_ token: AddedToken) throws {
        guard !token.content.isEmpty else { return }
        let id =
            idsByContent[token.content] ?? model.id(of: token.content)
            ?? (highestID >= model.count ? highestID + 1 : model.count)
        guard id < Vocabulary.idLimit else {
            throw TokenizationError.invalidFile(
                "added token \(quoted(token.content)) gets id \(id), expected 0..<\(Vocabulary.idLimit)")
        }
        idsByContent[token.content] = id
        tokens[id] = token
        if token.isSpecial { specialContents.insert(token.content) }
        highestID = max(highestID, id)
    }
}

extension AddedVocabulary {
    /// The tokens of a tokenizer.json, then those that only the files beside it name, in the order in which transformers 5 adds
    /// them.
    ///
    /// - Parameter config: nil where the file stands alone.
    init(_ file: TokenizerFile, _ config: TokenizerConfig?) throws {
        self.init(file.model.vocabulary)
        guard let config else {
            for (_, token) in file.addedTokens { try add(token) }
            return
        }
        var declared = config.declared
        if !config.hasDecoder {
            for (id, token) in file.addedTokens { declared[id] = token }
        }
        // Classes with a program of their own take tokens from the configuration alone, in the order of their ids.
        if config.style == nil {
            for (_, token) in file.addedTokens { try add(token) }
        }
        var tokens = declared.sorted { $0.key < $1.key }.map(\.value)
        let known = Set(tokens.map(\.content))
        let named = Set(config.named.map(\.token.content))
        for token in config.named.map(\.token) + config.additional
        where id(of: token.content) == nil && !known.contains(token.content) {
            tokens.append(token)
        }
        for var token in tokens {
            if named.contains(token.content) { token.isSpecial = true }
            try add(token)
        }
        // The program of this class adds them all once more, as mere texts.
        guard config.style == .qwen2 else { return }
        for token in config.named.map(\.token) + config.additional { try add(AddedToken(special: token.content)) }
    }
}
