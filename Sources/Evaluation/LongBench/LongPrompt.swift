import Chat

/// Cuts prompts that are longer than models take, as the paper's implementation does (github thu-nics/C2C,
/// `script/evaluation/unified_evaluator.py`): the middle goes, as instructions stand at both ends.
struct LongPrompt {
    /// In tokens.
    static let limit = 32_768

    private let responder: Responder
    private let mode: AnswerMode
    private let settings: AnswerSettings
    private let opening: [ChatMessage]

    init(_ responder: Responder, mode: AnswerMode, settings: AnswerSettings, opening: [ChatMessage]) {
        self.responder = responder
        self.mode = mode
        self.settings = settings
        self.opening = opening
    }

    /// What the user's message says: the prompt, cut to the limit, or to the context where that is less; and, as the paper's
    /// implementation has it, already in the chat template, which is then applied once more, except for tasks that are asked
    /// without.
    ///
    /// - Throws: `ChatError` for a model without a tokenizer or a template, `TokenizationError`, `JinjaError`.
    func content(_ reference: LongBenchTask.Reference, question: String) throws -> String {
        guard let text = try responder.speaker(of: mode).text else { throw ChatError.noTokenizer(model: "receiver") }
        let ids = try text.tokenizer.encode(reference.prompt, addSpecialTokens: true)
        // Text-to-text has turns before the question.
        var before = opening
        var room = try responder.maximumContext(of: mode) - settings.maxNewTokens
        if mode == .text {
            let request = settings.textToText.request.replacing("{question}", with: question)
            before += [ChatMessage(.user, request), ChatMessage(.assistant, "")]
            room -= settings.textToText.maxNewTokens
        }
        var length = min(Self.limit, room)
        while true {
            let cut = try ids.count > length ? Self.ends(of: ids, length, text) : reference.prompt
            let content =
                reference.task.isBare
                ? cut : try text.render([ChatMessage(.user, cut)], thinking: settings.thinking)
            let count = try responder.prompt(
                for: .conversation(before + [ChatMessage(.user, content)]), mode: mode == .text ? .receiver : mode,
                settings: settings
            ).count
            // Templates take room too, and the cut text may be other tokens.
            guard count > room, length > 2, ids.count > 2 else { return content }
            length = max(2, min(length, ids.count) - (count - room))
        }
    }

    /// The first and the last half.
    private static func ends(of ids: [Int], _ length: Int, _ text: ModelText) throws -> String {
        let half = length / 2
        return try text.text(of: Array(ids.prefix(half))) + text.text(of: Array(ids.suffix(half)))
    }
}
