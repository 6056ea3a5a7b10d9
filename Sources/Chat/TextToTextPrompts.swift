/// The prompts of text-to-text communication, as the paper's baseline has them (arXiv 2510.03215, appendix).
public struct TextToTextPrompts: Sendable {
    /// What the sharer is asked; `{question}` stands for the last message, or the question within it.
    public var request = "Briefly describe the most useful background to solve the problem:\n\n{question}"
    /// The most tokens the sharer writes.
    public var maxNewTokens = 256

    public init() {}

    /// The conversation that the sharer continues.
    func forSharer(_ messages: [ChatMessage]) -> [ChatMessage] {
        guard let question = messages.last else { return [] }
        return messages.dropLast() + [ChatMessage(.user, request(question))]
    }

    /// The conversation that the receiver continues: the request, the sharer's text as an answer to it, the question.
    func forReceiver(_ messages: [ChatMessage], background: String) -> [ChatMessage] {
        guard let question = messages.last else { return [] }
        return messages.dropLast()
            + [ChatMessage(.user, request(question)), ChatMessage(.assistant, background), question]
    }

    private func request(_ question: ChatMessage) -> String {
        request.replacing("{question}", with: question.question ?? question.content)
    }
}
