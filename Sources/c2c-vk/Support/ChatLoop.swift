import Chat
import Foundation
import Inference
import OutputFiles

/// A conversation at the command line.
struct ChatLoop {
    private let responder: Responder
    private let modes: Set<AnswerMode>
    private let settings: AnswerSettings
    private let contextFull: ContextFull
    private var mode: AnswerMode
    private var conversation: Conversation
    private var answers: [Answer] = []
    private let sampling: ChatSampling

    /// - Parameter settings: those of sampling in it are replaced by `sampling`'s, as they depend on the mode.
    init(
        _ responder: Responder, modes: Set<AnswerMode>, mode: AnswerMode, settings: AnswerSettings,
        sampling: ChatSampling, conversation: Conversation, contextFull: ContextFull
    ) {
        self.responder = responder
        self.modes = modes
        self.mode = mode
        self.settings = settings
        self.sampling = sampling
        self.conversation = conversation
        self.contextFull = contextFull
    }

    /// Reads and answers until the input ends.
    ///
    /// - Throws: at a terminal only what ends the program; from a pipe the first thing that goes wrong.
    mutating func run(_ input: consuming ChatInput) throws {
        if input.isInteractive {
            Output.remark("\(mode.rawValue) on \(responder.backend.name); /help lists commands, Ctrl-D ends")
        }
        Interrupt.catchSignal()
        while let line = try input.next(prompt: "> ") {
            _ = Interrupt.take()
            let text = line.trimmingCharacters(in: .whitespacesAndNewlines)
            guard !text.isEmpty else { continue }
            do {
                if text.hasPrefix("//") {
                    try answer(String(text.dropFirst()))
                } else if text.hasPrefix("/"), !text.contains(where: \.isNewline) {
                    guard try obey(text) else { return }
                } else {
                    try answer(text)
                }
            } catch  where input.isInteractive && !(error is OutputError) {
                Output.remark("error: \(Failure.message(for: error))")
            }
        }
    }

    // MARK: Answering

    private mutating func answer(_ text: String) throws {
        let question = ChatMessage(.user, text)
        var settings = settings
        settings.sampling = sampling.settings(for: mode)
        // Turns must not all draw the same numbers.
        settings.sampling.seed &+= UInt64(answers.count)
        let written = mode == .text ? settings.textToText.maxNewTokens : 0
        let dropped = try conversation.makeRoom(
            for: question, answer: settings.maxNewTokens + written, contextFull
        ) { [responder, mode, settings] messages in
            try responder.prompt(for: .conversation(messages), mode: mode, settings: settings).count
        }
        if dropped > 0 {
            Output.remark("the oldest \(dropped == 1 ? "turn is" : "\(dropped) turns are") forgotten to make room")
        }
        guard let answer = try interruptible(.conversation(conversation.messages + [question]), settings) else {
            return
        }
        try Output.line()
        conversation.add(question, ChatMessage(.assistant, answer.text))
        answers.append(answer)
        let result = answer.final.result
        if result.finishReason == .length, result.tokens.count < settings.maxNewTokens {
            Output.remark(
                "the answer ends here because the context of \(conversation.context) tokens is full: /drop forgets the "
                    + "oldest turn, /reset all of them")
        }
    }

    /// - Returns: nil where Ctrl-C came before the answer had begun.
    private func interruptible(_ question: Question, _ settings: AnswerSettings) throws -> Answer? {
        let display = ReadingDisplay()
        responder.onRead = { progress in
            display.update(progress)
            if Interrupt.take() { throw Interrupted(whileWriting: false) }
        }
        defer {
            responder.onRead = nil
            display.finish()
        }
        do {
            return try responder.answer(
                question, mode: mode, settings: settings, keepsHistory: true,
                onText: { part in
                    display.finish()
                    try Output.write(part)
                    return !Interrupt.take()
                },
                onBackground: { _ in
                    display.finish()
                    if Interrupt.take() { throw Interrupted(whileWriting: true) }
                    return true
                })
        } catch let interrupted as Interrupted {
            display.finish()
            // Caches were left in the middle of a step.
            if interrupted.whileWriting { responder.reset() }
            Output.remark(
                "interrupted while \(interrupted.whileWriting ? "the sharer wrote" : "the prompt was read"); nothing was answered"
            )
            return nil
        }
    }

    // MARK: Commands

    private static let help = """
        /mode [MODE]   show or change who answers: \(AnswerMode.allCases.map(\.rawValue).joined(separator: ", "))
        /reset         forget the conversation
        /drop [N]      forget its oldest turns
        /stats         what the answers took
        /save FILE     write the conversation as JSON; /save --force FILE replaces any other file
        /help          this list
        /quit          end
        //…            a message that begins with a slash
        """

    /// - Returns: false to end.
    private mutating func obey(_ line: String) throws -> Bool {
        let fields = line.split(separator: " ", maxSplits: 1).map(String.init)
        let argument = fields.count > 1 ? fields[1].trimmingCharacters(in: .whitespaces) : nil
        switch fields[0] {
        case "/quit", "/exit": return false
        case "/help": Output.remark(Self.help)
        case "/reset":
            conversation.reset()
            answers = []
            responder.reset()
        case "/drop": try drop(argument)
        case "/mode": try change(to: argument)
        case "/stats": Output.remark(stats)
        case "/save": try save(to: argument)
        default:
            throw UsageError(
                "there is no command \(fields[0]); /help lists those there are, and // begins a message with a slash")
        }
        return true
    }

    private mutating func change(to name: String?) throws {
        let possible = AnswerMode.allCases.filter(modes.contains).map(\.rawValue).joined(separator: ", ")
        guard let name else {
            Output.remark("\(mode.rawValue); possible are \(possible)")
            return
        }
        guard let wanted = AnswerMode(rawValue: name), modes.contains(wanted) else {
            throw UsageError("no mode \(name) with these models; possible are \(possible)")
        }
        if sampling.text(for: wanted) != sampling.text(for: mode) { Output.remark(sampling.text(for: wanted)) }
        mode = wanted
    }

    private mutating func drop(_ argument: String?) throws {
        guard let count = Int(argument ?? "1"), count > 0 else {
            throw UsageError("/drop takes a number of turns, not \(argument ?? "")")
        }
        conversation.drop(count)
        let left = conversation.turns.count
        Output.remark("\(left) turn\(left == 1 ? "" : "s") left")
    }

    private func save(to argument: String?) throws {
        var path = argument ?? ""
        let isForced = path == "--force" || path.hasPrefix("--force ")
        if isForced { path = path.dropFirst("--force".count).trimmingCharacters(in: .whitespaces) }
        guard !path.isEmpty else { throw UsageError("/save needs the name of a file") }
        let place = try OutputPlace(path, replacing: SavedConversation.mark, isForced: isForced)
        try OutputFile.write(try SavedConversation(messages: conversation.messages).data(), to: place)
    }

    private var stats: String {
        var table = Table(
            ["turn", "mode", "prompt", "kept", "new", "first token ms", "tokens/s", "total ms"],
            rightAligned: [0, 2, 3, 4, 5, 6, 7])
        for (index, answer) in answers.enumerated() {
            let result = answer.final.result
            let rate = result.decodeSeconds > 0 ? Double(result.decodedTokens) / result.decodeSeconds : 0
            table.add([
                "\(index + 1)", answer.mode.rawValue, "\(answer.final.prompt.count)", "\(result.keptTokens)",
                "\(result.tokens.count)", (answer.timeToFirstToken * 1000).decimals(1), rate.decimals(1),
                (answer.totalSeconds * 1000).decimals(1),
            ])
        }
        let used = answers.last.map { $0.final.prompt.count + $0.tokens.count } ?? 0
        return table.text
            + "\n\(used) of \(conversation.context) tokens of context, "
            + "weights \(formatBytes(responder.weightBytes)), caches \(formatBytes(responder.cacheBytes)), "
            + "peak device memory \(formatBytes(responder.backend.memory.peak))"
    }
}

/// Ctrl-C before an answer has begun.
private struct Interrupted: Error {
    /// While a sharer wrote what the receiver would have answered from, and not while a prompt was read.
    var whileWriting: Bool
}
