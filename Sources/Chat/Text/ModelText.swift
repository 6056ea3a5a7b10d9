import Foundation
import Tokenization

/// What turns a model's tokens into text and a conversation into its tokens.
public struct ModelText: Sendable {
    public let tokenizer: Tokenizer
    /// Nil for a model that was published without one.
    public let template: ChatTemplate?
    public let specialTokens: SpecialTokens
    /// The checkpoint directory, for errors.
    public let directory: String

    /// - Returns: nil where the directory has no tokenizer.json.
    /// - Throws: `ChatError`, `TokenizationError`, `CheckpointError` or `JinjaError` for files that are damaged.
    public init?(directory: URL) throws {
        let file = directory.appending(path: "tokenizer.json")
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        do {
            tokenizer = try Tokenizer(tokenizerJSON: file)
        } catch let error as TokenizationError where error.description.hasPrefix("tokenizer.json: ") {
            // What is wrong inside of the file is said without its folder, and there may be several models.
            throw ChatError.unusableTokenizer(directory: directory.path, reason: error.description)
        }
        template = try ChatTemplate(optional: directory)
        specialTokens = try SpecialTokens(directory: directory)
        self.directory = directory.path
    }

    /// A conversation as the model was trained to read it, with the assistant's turn begun.
    ///
    /// - Parameter thinking: what the template sees as `enable_thinking`.
    /// - Throws: `ChatError.noTemplate`; `JinjaError` where the template refuses the conversation.
    public func render(_ messages: [ChatMessage], thinking: Bool) throws -> String {
        guard let template else { throw ChatError.noTemplate(directory) }
        return try template.render(messages, addGenerationPrompt: true, thinking: thinking)
    }

    /// The text of an answer: special tokens, and ids that the tokenizer doesn't know, stand for nothing. (Models have more
    /// rows than their tokenizer has tokens, and an untrained one may choose them.)
    public func text(of ids: [Int]) throws -> String {
        try tokenizer.decode(ids.filter(knows), skipSpecialTokens: true)
    }

    func knows(_ id: Int) -> Bool { id >= 0 && id < tokenizer.vocabularySize }

    /// The id of the token with a role.
    func id(_ role: SpecialTokens.Role) -> Int? {
        specialTokens.texts[role].flatMap { tokenizer.id(of: $0) }
    }

    /// The token that fills up what is too short.
    public var paddingID: Int? { id(.padding) }

    /// The ids that transformers calls special: those with a role, and the additional ones.
    var specialIDs: Set<Int> {
        Set((Array(specialTokens.texts.values) + specialTokens.additional).compactMap { tokenizer.id(of: $0) })
    }
}
