import Foundation

/// A byte-level BPE tokenizer as published in a `tokenizer.json` (Qwen2 to Qwen3, Llama 3), or in the files that came before it:
/// text -> ids -> text.
///
/// Encoding runs the file's pipeline: added tokens, normalizer, pre-tokenizer, model, post-processor. All methods may be
/// called from several threads at once.
public final class Tokenizer: Sendable {
    private let addedTokens: AddedTokens
    private let normalizer: Normalizer
    private let preTokenizer: PreTokenizer
    private let model: BPEModel
    private let postProcessor: PostProcessor
    private let decoder: Decoder
    private let workspaces = WorkspacePool()

    /// The longest text that `encode` takes, in bytes of UTF-8.
    public static let textLimit = 1 << 30

    /// Reads a checkpoint directory as transformers 5 does: tokenizer.json, else vocab.json with merges.txt; and the tokens
    /// that tokenizer_config.json, special_tokens_map.json and added_tokens.json add to it.
    ///
    /// - Throws: `TokenizationError`.
    public convenience init(directory: URL) throws {
        let config = try TokenizerConfig(directory: directory)
        let json = directory.appending(path: "tokenizer.json")
        if !FileManager.default.fileExists(atPath: json.path), VocabularyFiles.exist(in: directory) {
            guard let style = config.style ?? config.familyStyle else {
                throw TokenizationError.unusableFile(
                    path: directory.path,
                    reason:
                        "holds vocab.json and merges.txt, but no tokenizer.json; without it only tokenizers of Qwen2's "
                        + "and GPT-2's kind are read")
            }
            let file = try VocabularyFiles.read(directory, style: style, addsPrefixSpace: config.addsPrefixSpace)
            try self.init(file, config, isBuilt: true)
            return
        }
        do {
            let file = try TokenizerFile(parsing: TokenizerFile.read(json))
            try self.init(file, config, isBuilt: false)
        } catch let error as TokenizationError {
            throw error.naming(json.path)
        }
    }

    /// Whether a checkpoint directory holds files that `init(directory:)` reads.
    public static func exists(in directory: URL) -> Bool {
        FileManager.default.fileExists(atPath: directory.appending(path: "tokenizer.json").path)
            || VocabularyFiles.exist(in: directory)
    }

    /// Reads that file alone.
    ///
    /// - Throws: `TokenizationError`.
    public convenience init(tokenizerJSON: URL) throws {
        do {
            try self.init(json: TokenizerFile.read(tokenizerJSON))
        } catch let error as TokenizationError {
            throw error.naming(tokenizerJSON.path)
        }
    }

    /// - Parameter json: the content of a tokenizer.json.
    /// - Throws: `TokenizationError`.
    public convenience init(json: [UInt8]) throws {
        try self.init(TokenizerFile(parsing: json), nil, isBuilt: false)
    }

    /// - Parameters:
    ///   - config: what other files say of the tokens.
    ///   - isBuilt: the file was made of vocab.json and merges.txt.
    private init(_ file: TokenizerFile, _ config: TokenizerConfig?, isBuilt: Bool) throws {
        model = file.model
        normalizer = try Normalizer(file.normalizer)
        preTokenizer = try PreTokenizer(file.preTokenizer)
        let vocabulary = try AddedVocabulary(file, config)
        addedTokens = AddedTokens(
            vocabulary, normalizer: normalizer, splitsSpecialTokens: config?.splitsSpecialTokens ?? false)
        decoder = try Decoder(file.decoder, vocabulary: model.vocabulary, addedTokens: addedTokens.spellings)
        if isBuilt, let config {
            func id(_ role: String, _ isAdded: Bool) -> Int? {
                isAdded ? config.roleTexts[role].flatMap { vocabulary.id(of: Array($0.utf8)) } : nil
            }
            postProcessor = PostProcessor(
                before: id("bos_token", config.addsBeginning), after: id("eos_token", config.addsEnd))
        } else {
            postProcessor = try PostProcessor(file.postProcessor, idLimit: decoder.vocabularySize)
        }
    }

    /// Highest id + 1, added tokens included. A model may have more rows than that, not fewer.
    public var vocabularySize: Int { decoder.vocabularySize }

    /// The id of a token by its spelling in the file: an added token's text (`<|im_end|>`), or the model's own
    /// (`Ġhello`, in the byte alphabet); nil if there is none.
    public func id(of token: String) -> Int? {
        let spelling = Array(token.utf8)
        return addedTokens.id(of: spelling) ?? model.vocabulary.id(of: spelling)
    }

    /// Whether another tokenizer has the same tokens under the same ids, those added aside.
    public func sharesVocabulary(with other: Tokenizer) -> Bool { model.vocabulary == other.model.vocabulary }

    /// Whether `id` is a special token: one that `decode` can leave out.
    public func isSpecial(_ id: Int) -> Bool { addedTokens.isSpecial(id) }

    /// The bytes `id` contributes to text; not valid UTF-8 by themselves where a character is spread over tokens.
    /// Empty for an id between others that no token has.
    ///
    /// - Throws: `TokenizationError.unknownID` outside `0..<vocabularySize`.
    public func tokenBytes(_ id: Int) throws -> [UInt8] { Array(try decoder.bytes(of: id)) }

    /// The ids of `text`. Added tokens are recognised wherever they stand in it, special ones too.
    ///
    /// - Parameter addSpecialTokens: whether the post-processor's tokens (beginning of text...) are put around it.
    /// - Throws: `TokenizationError.textTooLong` beyond `textLimit`; `.patternTooExpensive` when a pattern of the file runs
    ///   away on this text.
    /// - Complexity: linear in the length of the text, but for words of thousands of bytes (n log n).
    public func encode(_ text: String, addSpecialTokens: Bool) throws -> [Int] {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.textLimit else {
            throw TokenizationError.textTooLong(bytes: bytes.count, limit: Self.textLimit)
        }
        let workspace = workspaces.take()
        defer { workspaces.give(workspace) }
        workspace.matcher.beginText(bytes: bytes.count)

        var ids: [Int] = []
        ids.reserveCapacity(bytes.count / 4)
        for segment in addedTokens.segments(beforeNormalization: bytes[...]) {
            switch segment {
            case .token(let id):
                ids.append(id)
            case .text(let range):
                let normalized = normalizer.normalize(bytes[range])
                try encode(normalized: normalized?[...] ?? bytes[range], workspace, into: &ids)
            }
        }
        return addSpecialTokens ? postProcessor.addSpecialTokens(to: ids) : ids
    }

    private func encode(normalized text: ArraySlice<UInt8>, _ workspace: Workspace, into ids: inout [Int]) throws {
        for segment in addedTokens.segments(afterNormalization: text) {
            switch segment {
            case .token(let id):
                ids.append(id)
            case .text(let range):
                try preTokenizer.forEachPiece(of: text[range], matcher: workspace.matcher) { piece in
                    model.encode(piece, with: &workspace.merging, into: &ids)
                }
            }
        }
    }

    /// The text of `ids`. Bytes that are not UTF-8 become U+FFFD, one for each maximal part of a valid sequence (Unicode
    /// 15, section 3.9), as Rust's `from_utf8_lossy` does.
    ///
    /// - Throws: `TokenizationError.unknownID` for an id outside `0..<vocabularySize`.
    public func decode(_ ids: [Int], skipSpecialTokens: Bool) throws -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(ids.count * 4)
        for id in ids {
            let token = try decoder.bytes(of: id)
            if !(skipSpecialTokens && addedTokens.isSpecial(id)) { bytes.append(contentsOf: token) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What one call of `encode` needs for itself.
private final class Workspace {
    let matcher = PatternMatcher()
    var merging = BPEWorkspace()
}

/// Workspaces kept between calls, for their memory and their caches. As many as there were calls at the same time.
private final class WorkspacePool: @unchecked Sendable {
    private let lock = NSLock()
    private var idle: [Workspace] = []

    func take() -> Workspace {
        lock.withLock { idle.popLast() } ?? Workspace()
    }

    func give(_ workspace: Workspace) {
        lock.withLock { idle.append(workspace) }
    }
}
