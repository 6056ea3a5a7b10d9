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

    /// - Returns: nil where the directory has no tokenizer.
    /// - Throws: `ChatError`, `TokenizationError`, `CheckpointError` or `JinjaError` for files that are damaged.
    public init?(directory: URL) throws {
        guard Tokenizer.exists(in: directory) else { return nil }
        tokenizer = try Tokenizer(directory: directory)
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

    /// The tokens of a text.
    ///
    /// - Parameter addsSpecialTokens: also those that the tokenizer puts around a text, such as one for its beginning; a text that
    ///   begins with that itself gets no second one.
    func ids(of text: String, addsSpecialTokens: Bool) throws -> [Int] {
        let ids = try tokenizer.encode(text, addSpecialTokens: addsSpecialTokens)
        guard addsSpecialTokens, ids.count > 1, ids[0] == ids[1], tokenizer.isSpecial(ids[0]),
            try tokenizer.encode(text, addSpecialTokens: false).first == ids[0]
        else { return ids }
        return Array(ids.dropFirst())
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
