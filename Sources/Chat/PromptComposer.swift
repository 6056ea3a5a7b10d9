import Inference
import Tokenization

/// What is asked: a conversation, or text that is read as it stands.
public enum Question: Sendable {
    case conversation([ChatMessage])
    case raw(String)
}

/// Turns a question into the tokens of every model that reads it.
struct PromptComposer {
    /// What templates see as `enable_thinking`.
    var thinking: Bool

    /// The prompt of one model alone.
    func alone(_ question: Question, _ model: ModelText) throws -> Prompt {
        shared(try model.tokenizer.encode(try text(question, model), addSpecialTokens: false), sharerCount: 0)
    }

    /// The prompt of a receiver and its sharers: fused where the sharers read the receiver's tokens, all but the last one;
    /// where a sharer's tokens are aligned, the messages' tokens.
    func fused(_ question: Question, _ receiver: ModelText, _ sharers: [ChatSharer]) throws -> Prompt {
        guard let strategy = sharers.lazy.compactMap(\.alignment).first else {
            let ids = try receiver.tokenizer.encode(try text(question, receiver), addSpecialTokens: false)
            return shared(ids, sharerCount: sharers.count)
        }
        guard sharers.count == 1 else { throw ChatError.severalAligned }
        guard let sharer = sharers[0].model.text else { throw ChatError.noTokenizer(model: "sharer") }
        let aligner = TokenAligner(receiver: receiver, sharer: sharer, strategy: strategy)
        let contents: [String] =
            switch question {
            case .conversation(let messages): messages.map(\.content)
            case .raw(let text): [text]
            }
        var prompt = try aligner.align(
            receiverText: try text(question, receiver), sharerText: try text(question, sharer), messages: contents)
        if prompt.sections.count == 1 {
            // Raw text is one message; its last token still has to stay out, as the last section always does.
            prompt.sections = Section.defaults(promptLength: prompt.count, sharerCount: 1)
        }
        return prompt
    }

    private func shared(_ ids: [Int], sharerCount: Int) -> Prompt {
        Prompt(ids, sections: Section.defaults(promptLength: ids.count, sharerCount: sharerCount))
    }

    private func text(_ question: Question, _ model: ModelText) throws -> String {
        switch question {
        case .conversation(let messages): try model.render(messages, thinking: thinking)
        case .raw(let text): text
        }
    }
}
