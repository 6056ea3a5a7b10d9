import Inference

extension Responder {
    /// What a model is to choose from.
    public struct Choice {
        public var question: Question
        /// Told apart by their first tokens.
        public var options: [String]
        /// What is read instead of the question, as tokens; not with text-to-text.
        public var prompt: Prompt?

        public init(_ question: Question, options: [String], prompt: Prompt? = nil) {
            self.question = question
            self.options = options
            self.prompt = prompt
        }
    }

    /// Lets a model choose, for all questions together: which of the options it would most likely go on with.
    ///
    /// - Parameter prefix: how its answers begin.
    /// - Returns: by question, the index of the option, and the answer whose single token was looked at.
    /// - Throws: as `answer`.
    public func choose(
        _ choices: [Choice], after prefix: String, mode: AnswerMode, settings: AnswerSettings
    ) throws -> [(option: Int, answer: Answer)] {
        var settings = settings
        var background: [AnswerStage] = []
        var seconds = 0.0
        var prompts: [Prompt]
        if mode == .text {
            let conversations = try textToText(choices.map(\.question), settings)
            background = conversations.written.stages
            seconds = conversations.written.seconds
            prompts = conversations.prompts
        } else {
            prompts = try choices.map { choice in
                try choice.prompt ?? prompt(for: choice.question, mode: mode, settings: settings)
            }
        }
        let speaker = try speaker(of: mode)
        guard let tokenizer = speaker.text?.tokenizer else {
            throw ChatError.noTokenizer(model: mode == .sharer ? "sharer" : "receiver")
        }
        let beginning = try tokenizer.encode(prefix, addSpecialTokens: false)
        for index in prompts.indices { prompts[index].append(beginning) }
        settings.maxNewTokens = 1
        settings.ignoresEnd = true
        var logits = [[Float]](repeating: [], count: prompts.count)
        let answered = try answer(
            prompts, mode: mode == .text ? .receiver : mode, settings: settings, onStepLogits: { logits[$0] = $1 })
        return try choices.indices.map { index in
            let logits = logits[index]
            let scores = try choices[index].options.map { option in
                try tokenizer.encode(option, addSpecialTokens: false).first
                    .flatMap { logits.indices.contains($0) ? logits[$0] : nil } ?? -.infinity
            }
            let last = answered[index]
            let whole = Answer(
                mode: mode, stages: (mode == .text ? [background[index]] : []) + last.stages,
                timeToFirstToken: seconds + last.timeToFirstToken, totalSeconds: seconds + last.totalSeconds)
            return (scores.indices.max { scores[$0] < scores[$1] } ?? 0, whole)
        }
    }
}

extension Prompt {
    /// Lets the answer begin with tokens, which are never fused; then all of the question is.
    fileprivate mutating func append(_ ids: [Int]) {
        let mask = sections.first?.sharerMask ?? -1
        if sharers.isEmpty {
            sections = [Section(length: count, sharerMask: mask), Section(length: ids.count, sharerMask: -1)]
        } else if let last = sections.indices.last {
            sections[last].length += ids.count
        }
        receiver.ids += ids
        // Sharers read no further than the last section.
        for index in sharers.indices { sharers[index].ids += Array(repeating: 0, count: ids.count) }
    }
}
