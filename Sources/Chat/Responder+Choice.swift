import Inference

extension Responder {
    /// Lets a model choose: which of the options it would most likely go on with.
    ///
    /// - Parameters:
    ///   - options: told apart by their first tokens.
    ///   - prefix: how its answer begins.
    ///   - prompt: what is read instead of the question, as tokens; not with text-to-text.
    /// - Returns: the index of the option, and the answer whose single token was looked at.
    /// - Throws: as `answer`.
    public func choose(
        _ question: Question, among options: [String], after prefix: String, mode: AnswerMode, settings: AnswerSettings,
        prompt given: Prompt? = nil
    ) throws -> (option: Int, answer: Answer) {
        var settings = settings
        var stages: [AnswerStage] = []
        var seconds = 0.0
        var prompt: Prompt
        if mode == .text {
            let conversations = try textToText(question, settings)
            stages = [conversations.written.stage]
            seconds = conversations.written.seconds
            prompt = conversations.prompt
        } else {
            prompt = try given ?? self.prompt(for: question, mode: mode, settings: settings)
        }
        let speaker = try speaker(of: mode)
        guard let tokenizer = speaker.text?.tokenizer else {
            throw ChatError.noTokenizer(model: mode == .sharer ? "sharer" : "receiver")
        }
        prompt.append(try tokenizer.encode(prefix, addSpecialTokens: false))
        let first = try options.map { option in
            try tokenizer.encode(option, addSpecialTokens: false).first
        }
        settings.maxNewTokens = 1
        settings.ignoresEnd = true
        var logits: [Float] = []
        let answered = try answer(
            prompt, mode: mode == .text ? .receiver : mode, settings: settings, onStepLogits: { logits = $0 })
        let scores = first.map { $0.flatMap { logits.indices.contains($0) ? logits[$0] : nil } ?? -.infinity }
        let option = scores.indices.max { scores[$0] < scores[$1] } ?? 0
        let whole = Answer(
            mode: mode, stages: stages + answered.stages, timeToFirstToken: seconds + answered.timeToFirstToken,
            totalSeconds: seconds + answered.totalSeconds)
        return (option, whole)
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
