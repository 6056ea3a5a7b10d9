import Inference
import Tokenization

/// What is asked: a conversation, or text that is read as it stands.
public enum Question: Sendable {
    case conversation([ChatMessage])
    case raw(String)
}

/// A prompt, and what of it can't be fused though it should.
struct ComposedPrompt {
    var prompt: Prompt
    /// Nil where there is nothing.
    var warning: String?
}

/// Turns a question into the tokens of every model that reads it.
struct PromptComposer {
    private let settings: AnswerSettings

    init(_ settings: AnswerSettings) {
        self.settings = settings
    }

    /// The prompt of a model alone.
    func alone(_ question: Question, _ model: ModelText) throws -> Prompt {
        shared(try ids(question, model), sharerCount: 0)
    }

    /// The prompt of a sharer alone, which may be told something else than the receiver.
    func aloneForSharer(_ question: Question, _ model: ModelText) throws -> Prompt {
        try alone(toldToSharer(question), model)
    }

    /// The prompt of a receiver and its sharers: fused where the sharers read the receiver's tokens, all but the last one;
    /// where a sharer's tokens are aligned, or it is told something else, the messages' tokens.
    func fused(_ question: Question, _ receiver: ModelText, _ sharers: [ChatSharer]) throws -> ComposedPrompt {
        let strategy = sharers.lazy.compactMap(\.alignment).first
        var composed: ComposedPrompt
        if strategy == nil, settings.sharerSystem == nil {
            composed = ComposedPrompt(prompt: shared(try ids(question, receiver), sharerCount: sharers.count))
        } else {
            composed = try aligned(question, receiver, sharers, strategy)
        }
        leaveOutUnknownTokens(of: sharers, &composed, byMessage: strategy != nil)
        return composed
    }

    // MARK: Alignment

    private func aligned(
        _ question: Question, _ receiver: ModelText, _ sharers: [ChatSharer], _ strategy: AlignmentStrategy?
    ) throws -> ComposedPrompt {
        guard strategy == nil || sharers.count == 1 else { throw ChatError.severalAligned }
        // Sharers that read the receiver's tokens also read what its template says.
        guard let sharer = strategy == nil ? receiver : sharers[0].model.text else {
            throw ChatError.noTokenizer(model: "sharer")
        }
        let contents: [String] =
            switch question {
            // What only one side is told belongs to what stands between the messages.
            case .conversation(let messages):
                messages.map { settings.sharerSystem != nil && $0.role == .system ? "" : $0.content }
            case .raw(let text): [text]
            }
        let aligner = TokenAligner(receiver: receiver, sharer: sharer, strategy: strategy)
        let aligned = try aligner.align(
            receiverText: try text(question, receiver), sharerText: try text(toldToSharer(question), sharer),
            messages: contents, addsSpecialTokens: addsSpecialTokens(question))
        var prompt = aligned.prompt
        if case .raw = question, let last = prompt.sections.last, last.sharerMask != -1 {
            // Raw text is one message; its last token still has to stay out, as the last section always does.
            prompt.sections.removeLast()
            prompt.sections += Section.lastApart(promptLength: last.length, sharerMask: last.sharerMask)
        }
        if sharers.count > 1 {
            prompt.sharers = Array(repeating: prompt.sharers[0], count: sharers.count)
            for index in prompt.sections.indices where prompt.sections[index].sharerMask != -1 {
                prompt.sections[index].sharerMask = (1 << sharers.count) - 1
            }
        }
        return ComposedPrompt(prompt: prompt, warning: aligned.unfused.first?.description)
    }

    /// The conversation as the sharer is told it.
    private func toldToSharer(_ question: Question) -> Question {
        guard let system = settings.sharerSystem, case .conversation(let messages) = question else { return question }
        let opening = system.isEmpty ? [] : [ChatMessage(.system, system)]
        return .conversation(opening + messages.filter { $0.role != .system })
    }

    // MARK: Tokens that a sharer doesn't have

    /// Sharers that read the receiver's tokens may have fewer of them. Where one has none, it reads padding, which it doesn't
    /// see, and nothing of it is fused: that token, or, where tokens are aligned, the message.
    private func leaveOutUnknownTokens(of sharers: [ChatSharer], _ composed: inout ComposedPrompt, byMessage: Bool) {
        var prompt = composed.prompt
        var masks = prompt.sections.flatMap { Array(repeating: $0.sharerMask, count: $0.length) }
        var count = 0
        for (index, sharer) in sharers.enumerated() {
            let size = sharer.model.decoder.description.vocabularySize
            var sequence = index < prompt.sharers.count ? prompt.sharers[index] : prompt.receiver
            let unknown = sequence.ids.indices.filter { sequence.ids[$0] >= size }
            guard !unknown.isEmpty else { continue }
            let padding = sharer.model.text?.paddingID.flatMap { $0 < size ? $0 : nil } ?? 0
            for position in unknown {
                sequence.ids[position] = padding
                sequence.padding.insert(position)
            }
            while prompt.sharers.count <= index { prompt.sharers.append(prompt.receiver) }
            prompt.sharers[index] = sequence
            for position in byMessage ? Self.sections(prompt.sections, of: unknown) : unknown
            where masks[position] != -1 {
                masks[position] &= ~(1 << index)
                if masks[position] == 0 { masks[position] = -1 }
            }
            count += unknown.count
        }
        guard count > 0 else { return }
        prompt.sections = Self.sections(masks, cuts: prompt.sections)
        composed.prompt = prompt
        composed.warning =
            composed.warning
            ?? "a sharer has no token for \(count) of the prompt's \(prompt.count); what it has none for is left unfused"
    }

    /// All positions of the sections that some positions lie in.
    private static func sections(_ sections: [Section], of positions: [Int]) -> [Int] {
        var start = 0
        return sections.flatMap { section -> [Int] in
            defer { start += section.length }
            let range = start..<start + section.length
            return positions.contains(where: range.contains) ? Array(range) : []
        }
    }

    /// Sections by each position's mask, cut also where those before were.
    private static func sections(_ masks: [Int], cuts: [Section]) -> [Section] {
        var result: [Section] = []
        var start = 0
        for cut in cuts {
            var previous: Int?
            for mask in masks[start..<start + cut.length] {
                if mask == previous {
                    result[result.count - 1].length += 1
                } else {
                    result.append(Section(length: 1, sharerMask: mask))
                    previous = mask
                }
            }
            start += cut.length
        }
        return result
    }

    // MARK: Support

    private func shared(_ ids: [Int], sharerCount: Int) -> Prompt {
        Prompt(ids, sections: Section.defaults(promptLength: ids.count, sharerCount: sharerCount))
    }

    private func ids(_ question: Question, _ model: ModelText) throws -> [Int] {
        try model.ids(of: try text(question, model), addsSpecialTokens: addsSpecialTokens(question))
    }

    /// Templates write the special tokens themselves.
    private func addsSpecialTokens(_ question: Question) -> Bool {
        if case .raw = question { settings.addsSpecialTokens } else { false }
    }

    private func text(_ question: Question, _ model: ModelText) throws -> String {
        switch question {
        case .conversation(let messages): try model.render(messages, thinking: settings.thinking)
        case .raw(let text): text
        }
    }
}
