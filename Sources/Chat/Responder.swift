import Inference
import Tokenization

/// Answers questions with one set of models, in any mode.
///
/// Each mode has a session of its own, made when it is first used. With `keepsHistory`, a conversation that goes on is
/// prefilled, and fused, only from where it differs from what that session last saw.
public final class Responder {
    /// What the caches and their fusion are like.
    public struct Options: Sendable {
        public var fusionMode = FusionMode.sequential
        public var includesResponse = false
        public var cacheType = ElementType.f16
        /// The tokens that caches have room for; nil sizes them by what is asked.
        public var context: Int?
        /// See `Session.init`.
        public var overlapsPrefill: Bool?

        public init() {}
    }

    /// A session's part.
    enum Role: Hashable {
        case fused, receiver, sharer

        /// The model whose tokens are the answer's.
        var speaker: String { self == .sharer ? "sharer" : "receiver" }
    }

    public let backend: any Backend
    /// Nil where only the sharer is asked.
    public let receiver: ChatModel?
    public let sharers: [ChatSharer]
    public let options: Options
    /// Told once why a part of a prompt that should be fused isn't.
    public var onUnfused: ((String) -> Void)?
    private var hasTold = false
    /// Given how far a prompt is read, from run to run, by whichever model; what it throws ends the answer, and the caches stay as
    /// good for the next.
    public var onRead: ((ReadingProgress) throws -> Void)?
    private var sessions: [Role: Session] = [:]

    public init(on backend: any Backend, receiver: ChatModel?, sharers: [ChatSharer], options: Options) {
        self.backend = backend
        self.receiver = receiver
        self.sharers = sharers
        self.options = options
    }

    /// Bytes of all weights as stored.
    public var weightBytes: Int {
        (receiver?.decoder.weightBytes ?? 0)
            + sharers.reduce(0) { $0 + $1.model.decoder.weightBytes + ($1.fuser?.weightBytes ?? 0) }
    }

    /// Bytes of the caches in use.
    public var cacheBytes: Int { sessions.values.reduce(0) { $0 + $1.cacheBytes } }

    /// Forgets all caches.
    public func reset() {
        sessions = [:]
    }

    /// The prompt that a mode makes of a question; for text-to-text the sharer's.
    /// - Throws: `ChatError`, `JinjaError` or `TokenizationError`.
    public func prompt(
        for question: Question, mode: AnswerMode, settings: AnswerSettings = AnswerSettings()
    ) throws -> Prompt {
        let composer = PromptComposer(settings)
        switch mode {
        case .c2c:
            let composed = try composer.fused(question, try text(.receiver), sharers)
            if let warning = composed.warning, !hasTold {
                hasTold = true
                onUnfused?(warning)
            }
            return composed.prompt
        case .receiver: return try composer.alone(question, try text(.receiver))
        case .sharer: return try composer.aloneForSharer(question, try text(.sharer))
        case .text:
            let request = settings.textToText.forSharer(try messages(question))
            return try composer.aloneForSharer(.conversation(request), try text(.sharer))
        }
    }

    /// A prompt for the receiver alone in which exemplars precede the question and are read with it, but of which only the
    /// question's rows, and the opening's, stay in the cache for the answer: the paper's oracle (arXiv 2510.03215,
    /// section 3.2), which shows how much a better cache alone is worth.
    ///
    /// - Parameters:
    ///   - opening: messages before the exemplars, such as what the system says.
    ///   - exemplars: questions and answers in turns.
    public func oraclePrompt(
        opening: [ChatMessage], exemplars: [ChatMessage], question: ChatMessage, settings: AnswerSettings
    ) throws -> Prompt {
        func ids(_ messages: [ChatMessage]) throws -> [Int] {
            try self.prompt(for: .conversation(messages), mode: .receiver, settings: settings).receiver.ids
        }
        let whole = try ids(opening + exemplars + [question])
        let alone = try ids(opening + [question])
        // What stays is what the prompt without exemplars has: its end as far as both end alike, and its beginning.
        let tail = zip(alone.reversed(), whole.reversed()).prefix { $0 == $1 }.count
        // Rows are hidden from the last section on.
        var prompt = Prompt(whole, sections: Section.lastApart(promptLength: whole.count, sharerMask: -1))
        let (start, end) = (alone.count - tail, min(whole.count - tail, whole.count - 1))
        if start < end { prompt.hiddenRows = start..<end }
        return prompt
    }

    /// Answers a question.
    ///
    /// - Parameters:
    ///   - keepsHistory: uses what the mode's caches still hold of it.
    ///   - onText: given the answer's text as it comes, never a part of a character; returning false ends the answer.
    ///   - onBackground: likewise given what the sharer writes in text-to-text.
    /// - Throws: what `prompt(for:mode:settings:)` and `Session.generate` throw.
    public func answer(
        _ question: Question, mode: AnswerMode, settings: AnswerSettings, keepsHistory: Bool = false,
        onText: ((String) throws -> Bool)? = nil, onBackground: ((String) throws -> Bool)? = nil
    ) throws -> Answer {
        try answer(
            [question], mode: mode, settings: settings, keepsHistory: keepsHistory,
            onText: onText.map { given in { try given($1) } },
            onBackground: onBackground.map { given in { try given($1) } })[0]
    }

    /// Answers questions together, each as it would be answered alone; all times are those of all together.
    ///
    /// - Parameter onText, onBackground: also given the question's index.
    /// - Returns: by question.
    /// - Throws: as for one question.
    public func answer(
        _ questions: [Question], mode: AnswerMode, settings: AnswerSettings, keepsHistory: Bool = false,
        onText: ((Int, String) throws -> Bool)? = nil, onBackground: ((Int, String) throws -> Bool)? = nil
    ) throws -> [Answer] {
        guard mode == .text else {
            let prompts = try questions.map { try prompt(for: $0, mode: mode, settings: settings) }
            return try answer(prompts, mode: mode, settings: settings, keepsHistory: keepsHistory, onText: onText)
        }
        let (written, prompts) = try textToText(
            questions, settings, keepsHistory: keepsHistory, onText: onBackground)
        let answered = try run(prompts, .receiver, settings, keepsHistory: keepsHistory, onText: onText)
        return zip(written.stages, answered.stages).map { background, stage in
            Answer(
                mode: mode, stages: [background, stage],
                timeToFirstToken: written.seconds + stage.result.timeToFirstToken,
                totalSeconds: written.seconds + answered.seconds)
        }
    }

    /// The first half of text-to-text: the sharer's texts, and the prompts the receiver reads them in.
    func textToText(
        _ questions: [Question], _ settings: AnswerSettings, keepsHistory: Bool = false,
        onText: ((Int, String) throws -> Bool)? = nil
    ) throws -> (written: (stages: [AnswerStage], seconds: Double), prompts: [Prompt]) {
        var sharerSettings = settings
        sharerSettings.maxNewTokens = settings.textToText.maxNewTokens
        let requests = try questions.map { try prompt(for: $0, mode: .text, settings: settings) }
        let written = try run(requests, .sharer, sharerSettings, keepsHistory: keepsHistory, onText: onText)
        let composer = PromptComposer(settings)
        let prompts = try zip(questions, written.stages).map { question, stage in
            let reading = settings.textToText.forReceiver(try messages(question), background: stage.text)
            return try composer.alone(.conversation(reading), try text(.receiver))
        }
        return (written, prompts)
    }

    /// Answers a prompt of tokens; not text-to-text, which needs a conversation.
    ///
    /// - Parameters:
    ///   - onPromptLogits, onStepLogits: see `Session.generate`.
    public func answer(
        _ prompt: Prompt, mode: AnswerMode, settings: AnswerSettings, keepsHistory: Bool = false,
        onText: ((String) throws -> Bool)? = nil, onPromptLogits: (([Float]) throws -> Void)? = nil,
        onStepLogits: (([Float]) throws -> Void)? = nil
    ) throws -> Answer {
        try answer(
            [prompt], mode: mode, settings: settings, keepsHistory: keepsHistory,
            onText: onText.map { given in { try given($1) } },
            onPromptLogits: onPromptLogits.map { given in { try given($1) } },
            onStepLogits: onStepLogits.map { given in { try given($1) } })[0]
    }

    /// Answers prompts of tokens together; see the form for questions.
    ///
    /// - Parameters:
    ///   - onText, onPromptLogits, onStepLogits: also given the prompt's index.
    public func answer(
        _ prompts: [Prompt], mode: AnswerMode, settings: AnswerSettings, keepsHistory: Bool = false,
        onText: ((Int, String) throws -> Bool)? = nil, onPromptLogits: ((Int, [Float]) throws -> Void)? = nil,
        onStepLogits: ((Int, [Float]) throws -> Void)? = nil
    ) throws -> [Answer] {
        let (stages, seconds) = try run(
            prompts, try role(of: mode), settings, keepsHistory: keepsHistory, onText: onText,
            onPromptLogits: onPromptLogits, onStepLogits: onStepLogits)
        return stages.map { stage in
            Answer(mode: mode, stages: [stage], timeToFirstToken: stage.result.timeToFirstToken, totalSeconds: seconds)
        }
    }

    /// How many questions can be asked together: the caches of all `modes`, side by side, may take half of the memory that
    /// is free.
    ///
    /// - Parameter tokens: of the longest prompt with its answer.
    /// - Returns: at least 1.
    /// - Throws: `ChatError` where a mode lacks a model.
    public func questionsThatFit(_ modes: Set<AnswerMode>, tokens: Int) throws -> Int {
        let bytes = try cacheBytes(of: modes, tokens: tokens)
        return max(1, backend.availableBytes / 2 / max(1, bytes))
    }

    /// Bytes of the caches that a mode needs.
    ///
    /// - Parameter tokens: that they have room for.
    /// - Throws: `ChatError` where the mode lacks a model.
    public func cacheBytes(for mode: AnswerMode, tokens: Int) throws -> Int {
        try cacheBytes(of: [mode], tokens: tokens)
    }

    private func cacheBytes(of modes: Set<AnswerMode>, tokens: Int) throws -> Int {
        let roles = Set(try modes.flatMap { try $0 == .text ? [.sharer, .receiver] : [role(of: $0)] })
        return try roles.reduce(0) { sum, role in
            let speaker = try model(role).decoder
            let sharers = role == .fused ? try fusedSharers() : []
            return sum
                + Session.cacheBytes(
                    receiver: speaker, sharers: sharers, includesResponse: options.includesResponse,
                    capacity: capacity(speaker, sharers, tokens: tokens), cacheType: options.cacheType)
        }
    }

    /// The most tokens, prompt and answer together, that a mode has room for.
    /// - Throws: `ChatError` where the mode lacks a model.
    public func maximumContext(of mode: AnswerMode) throws -> Int {
        if let context = options.context { return context }
        let models =
            switch mode {
            case .c2c: [try model(.receiver)] + sharers.map(\.model)
            case .receiver: [try model(.receiver)]
            case .sharer: [try model(.sharer)]
            case .text: [try model(.receiver), try model(.sharer)]
            }
        return models.map(\.decoder.description.maximumContext).min() ?? 0
    }

    /// The session that answers in a mode, with room for `tokens`; made if there is none.
    /// - Throws: `ChatError` where the mode lacks a model, or is text-to-text, which has no single session.
    public func session(for mode: AnswerMode, tokens: Int) throws -> Session {
        try session(try role(of: mode), tokens: tokens)
    }

    // MARK: Models

    /// The model whose tokens are a mode's answers.
    /// - Throws: `ChatError` where it isn't there.
    public func speaker(of mode: AnswerMode) throws -> ChatModel {
        try model(mode == .sharer ? .sharer : .receiver)
    }

    private func role(of mode: AnswerMode) throws -> Role {
        switch mode {
        case .c2c: .fused
        case .receiver: .receiver
        case .sharer: .sharer
        case .text: throw ChatError.textNeedsConversation
        }
    }

    func model(_ role: Role) throws -> ChatModel {
        if role == .sharer {
            guard let sharer = sharers.first else { throw ChatError.noSharer }
            return sharer.model
        }
        guard let receiver else { throw ChatError.noReceiver }
        return receiver
    }

    private func text(_ role: Role) throws -> ModelText {
        guard let text = try model(role).text else { throw ChatError.noTokenizer(model: role.speaker) }
        return text
    }

    private func messages(_ question: Question) throws -> [ChatMessage] {
        guard case .conversation(let messages) = question else { throw ChatError.textNeedsConversation }
        return messages
    }

    /// - Parameter sequences: how many run together.
    func session(_ role: Role, tokens: Int, sequences: Int = 1) throws -> Session {
        let sharers = role == .fused ? try fusedSharers() : []
        let speaker = try model(role).decoder
        var capacity = capacity(speaker, sharers, tokens: tokens)
        if let session = sessions[role] {
            if session.capacity >= capacity, session.sequenceCount >= sequences { return session }
            // A new session compiles all its plans, so one that has to grow grows by more.
            capacity = self.capacity(speaker, sharers, tokens: (max(session.capacity, capacity) + 63) / 64 * 64)
        }
        let count = max(sequences, sessions[role]?.sequenceCount ?? 1)
        sessions[role] = nil
        let session = try Session(
            on: backend, receiver: speaker, sharers: sharers, fusionMode: options.fusionMode,
            includesResponse: options.includesResponse, capacity: capacity, cacheType: options.cacheType,
            sequenceCount: count, overlapsPrefill: options.overlapsPrefill)
        sessions[role] = session
        return session
    }

    /// Tokens that caches get room for, where `tokens` are needed.
    private func capacity(_ speaker: Decoder, _ sharers: [Sharer], tokens: Int) -> Int {
        let limit = ([speaker] + sharers.map(\.decoder)).map(\.description.maximumContext).min() ?? tokens
        return options.context ?? min(tokens, limit)
    }

    /// The sharers as fusion needs them: only the layers that are read.
    private func fusedSharers() throws -> [Sharer] {
        guard !sharers.isEmpty else { throw ChatError.noSharer }
        return try sharers.map { sharer in
            let decoder = sharer.model.decoder
            guard let fuser = sharer.fuser else { throw ChatError.noFuser(sharer: decoder.name) }
            if decoder.extent.endsAtCache { return Sharer(decoder: decoder, fuser: fuser) }
            let layers = fuser.description.sharerLayerCount
            return Sharer(decoder: try decoder.limited(to: .cacheOnly(layerCount: layers)), fuser: fuser)
        }
    }
}
