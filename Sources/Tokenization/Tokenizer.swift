import Foundation

/// A byte-level BPE tokenizer as published in a `tokenizer.json` (Qwen2 to Qwen3, Llama 3): text -> ids -> text.
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

    /// Reads `tokenizer.json` in a checkpoint directory.
    ///
    /// - Throws: `TokenizationError`.
    public convenience init(directory: URL) throws {
        try self.init(tokenizerJSON: directory.appendingPathComponent("tokenizer.json"))
    }

    /// - Throws: `TokenizationError`.
    public convenience init(tokenizerJSON: URL) throws {
        try self.init(json: TokenizerFile.read(tokenizerJSON))
    }

    /// - Parameter json: the content of a tokenizer.json.
    /// - Throws: `TokenizationError`.
    public init(json: [UInt8]) throws {
        let file = try TokenizerFile(parsing: json)
        model = file.model
        normalizer = try Normalizer(file.normalizer)
        preTokenizer = try PreTokenizer(file.preTokenizer)
        addedTokens = try AddedTokens(file.addedTokens, vocabulary: model.vocabulary, normalizer: normalizer)
        decoder = try Decoder(file.decoder, vocabulary: model.vocabulary, addedTokens: addedTokens.tokens)
        postProcessor = try PostProcessor(file.postProcessor, idLimit: decoder.vocabularySize)
    }

    /// Highest id + 1, added tokens included. A model may have more rows than that, not fewer.
    public var vocabularySize: Int { decoder.vocabularySize }

    /// The id of a token by its spelling in the file: an added token's text (`<|im_end|>`), or the model's own
    /// (`Ġhello`, in the byte alphabet); nil if there is none.
    public func id(of token: String) -> Int? {
        let spelling = Array(token.utf8)
        return addedTokens.id(of: spelling) ?? model.vocabulary.id(of: spelling)
    }

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
