import ArgumentParser
import Chat
import Inference

/// How conversations are put to the models, the same for one answer and for many.
struct ConversationOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("What the models are told before the conversation.", valueName: "text"))
    var system: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What the sharers are told instead; \"\" for nothing. Only the messages after it are then fused. Default: the same.",
            valueName: "text"))
    var sharerSystem: String?

    @Option(help: "Whether models that can think before they answer do so: on or off.")
    var thinking: Switch = .off

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What the sharer is asked in mode text; {question} stands for the prompt.", valueName: "text"))
    var backgroundRequest: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The most tokens the sharer writes in mode text. Default: 256.", valueName: "n"))
    var backgroundTokens: Int?

    enum Switch: String, ExpressibleByArgument, CaseIterable {
        case on, off
    }

    func validate() throws {
        if let backgroundRequest, !backgroundRequest.contains("{question}") {
            throw ValidationError("--background-request has no {question}, where the prompt goes")
        }
        if let backgroundTokens, backgroundTokens < 1 {
            throw ValidationError("--background-tokens is \(backgroundTokens); it must be at least 1")
        }
    }

    /// The flags given that only mode text looks at.
    var backgroundFlags: [String] {
        (backgroundRequest == nil ? [] : ["--background-request"])
            + (backgroundTokens == nil ? [] : ["--background-tokens"])
    }

    /// - Throws: `ValidationError` where no sharer is named that a flag could be about.
    func check(for pair: PairOptions) throws {
        let flags = backgroundFlags + (sharerSystem == nil ? [] : ["--sharer-system"])
        if let flag = flags.first, !pair.hasSharer {
            throw ValidationError("\(flag) is for a sharer, and none is given; add --sharer DIR, or leave it out")
        }
    }

    /// - Throws: `ValidationError` for what shapes conversations, where the prompt is in none.
    func check(for prompt: PromptOptions) throws {
        guard let given = prompt.promptIds != nil ? "--prompt-ids" : prompt.raw ? "--raw" : nil else { return }
        let flag = system != nil ? "--system" : sharerSystem != nil ? "--sharer-system" : "--thinking"
        if system != nil || sharerSystem != nil || thinking == .on {
            throw ValidationError("\(flag) is for a chat template, and \(given) goes through none; give one of them")
        }
    }

    /// The messages that every conversation begins with.
    var opening: [ChatMessage] { system.map { [ChatMessage(.system, $0)] } ?? [] }

    func apply(to settings: inout AnswerSettings) {
        settings.thinking = thinking == .on
        settings.sharerSystem = sharerSystem
        if let backgroundTokens { settings.textToText.maxNewTokens = backgroundTokens }
        if let backgroundRequest { settings.textToText.request = backgroundRequest }
    }
}

/// The flags that give a single prompt.
struct PromptOptions: ParsableArguments {
    @Argument(help: "The prompt's text; without it, standard input where that is no terminal.")
    var prompt: String?

    @Flag(
        help:
            "Take the prompt as it is, without a chat template; only the tokens that the tokenizer puts around a text are added, such as one for its beginning."
    )
    var raw = false

    @Flag(help: "With --raw: leave those tokens out too.")
    var noBos = false

    @Option(
        parsing: .unconditional, help: ArgumentHelp("The prompt as token ids, such as \"1 2 3\".", valueName: "ids"))
    var promptIds: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What the sharer reads instead of --prompt-ids, id by id. Both sides' pad tokens are then padding.",
            valueName: "ids"))
    var sharerPromptIds: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How the prompt is cut for fusion: length:mask, ... with mask -1 for none, else a sum of 1 (first sharer), 2 (second), 4, ... The last section is never fused.",
            valueName: "length:mask,..."))
    var sections: String?

    func validate() throws {
        if prompt != nil, promptIds != nil {
            throw ValidationError("both a prompt and --prompt-ids are given; give one of them")
        }
        if raw, promptIds != nil {
            throw ValidationError("--prompt-ids are tokens as they are; leave out --raw")
        }
        if noBos, !raw {
            throw ValidationError("--no-bos goes with --raw; elsewhere the chat template says how a prompt begins")
        }
        if sharerPromptIds != nil, promptIds == nil {
            throw ValidationError("--sharer-prompt-ids goes with --prompt-ids")
        }
    }

    /// The prompt; nil when none was given.
    func prompt(
        for responder: Responder, mode: AnswerMode, settings: AnswerSettings, opening: [ChatMessage] = []
    ) throws -> Prompt? {
        var result: Prompt
        var settings = settings
        settings.addsSpecialTokens = !noBos
        if let promptIds {
            result = try tokens(try parseTokenIDs(promptIds, flag: "--prompt-ids"), responder, mode)
        } else if let question = try question(opening: opening) {
            result = try responder.prompt(for: question, mode: mode, settings: settings)
        } else {
            return nil
        }
        if let sections { result.sections = try Section.parse(sections) }
        return result
    }

    /// What is asked in words; nil when nothing was given.
    func question(opening: [ChatMessage]) throws -> Question? {
        guard promptIds == nil, let text = try prompt ?? Self.piped() else { return nil }
        return raw ? .raw(text) : .conversation(opening + [ChatMessage(.user, text)])
    }

    private static func piped() throws -> String? {
        guard !StandardInput.isTerminal else { return nil }
        var text = try StandardInput.text()
        // The end of the last line is the shell's, not the question's.
        if text.last == "\n" || text.last == "\r\n" { text.removeLast() }
        return text.isEmpty ? nil : text
    }

    private func tokens(_ ids: [Int], _ responder: Responder, _ mode: AnswerMode) throws -> Prompt {
        let sharerCount = mode == .c2c ? responder.sharers.count : 0
        var prompt = Prompt(ids, sections: Section.defaults(promptLength: ids.count, sharerCount: sharerCount))
        guard let sharerPromptIds else { return prompt }
        func padded(_ ids: [Int], _ text: ModelText?) -> TokenSequence {
            let padding = text?.paddingID
            return TokenSequence(ids, padding: Set(ids.indices.filter { ids[$0] == padding }))
        }
        let sharerIDs = try parseTokenIDs(sharerPromptIds, flag: "--sharer-prompt-ids")
        guard sharerIDs.count == ids.count else {
            throw UsageError(
                "--sharer-prompt-ids has \(sharerIDs.count) ids, --prompt-ids \(ids.count); pad the shorter one")
        }
        prompt.receiver = padded(ids, responder.receiver?.text)
        prompt.sharers = responder.sharers.prefix(sharerCount).map { padded(sharerIDs, $0.model.text) }
        return prompt
    }
}
