import Chat
import Foundation
import Inference
import Jinja

/// A conversation at the command line.
struct ChatLoop {
    private let responder: Responder
    private let modes: Set<AnswerMode>
    private let settings: AnswerSettings
    private let opening: [ChatMessage]
    private var mode: AnswerMode
    private var messages: [ChatMessage]
    private var answers: [Answer] = []
    private let sampling: ChatSampling

    /// - Parameter settings: those of sampling in it are replaced by `sampling`'s, as they depend on the mode.
    init(
        _ responder: Responder, modes: Set<AnswerMode>, mode: AnswerMode, settings: AnswerSettings,
        sampling: ChatSampling,
        opening: [ChatMessage]
    ) {
        self.responder = responder
        self.modes = modes
        self.mode = mode
        self.settings = settings
        self.sampling = sampling
        self.opening = opening
        messages = opening
    }

    /// Reads and answers until the input ends.
    ///
    /// - Throws: at a terminal only what ends the program; from a pipe the first thing that goes wrong.
    mutating func run() throws {
        var input = ChatInput()
        if input.isInteractive {
            Output.remark("\(mode.rawValue) on \(responder.backend.name); /help lists commands, Ctrl-D ends")
        }
        Interrupt.catchSignal()
        while let line = try input.next(prompt: "> ") {
            _ = Interrupt.take()
            let text = line.trimmingCharacters(in: .whitespaces)
            guard !text.isEmpty else { continue }
            do {
                if text.hasPrefix("/") {
                    guard try obey(text) else { return }
                } else {
                    try answer(text)
                }
            } catch  where input.isInteractive {
                Output.remark("error: \(Failure.message(for: error))")
            }
        }
        if input.isInteractive { try Output.line() }
    }

    // MARK: Answering

    private mutating func answer(_ text: String) throws {
        let question = messages + [ChatMessage(.user, text)]
        var settings = settings
        settings.sampling = sampling.settings(for: mode)
        // Turns must not all draw the same numbers.
        settings.sampling.seed &+= UInt64(answers.count)
        let answer: Answer
        do {
            answer = try responder.answer(
                .conversation(question), mode: mode, settings: settings, keepsHistory: true,
                onText: { part in
                    try Output.write(part)
                    return !Interrupt.take()
                },
                onBackground: { _ in
                    if Interrupt.take() { throw BackgroundInterrupted() }
                    return true
                })
        } catch is BackgroundInterrupted {
            // Its caches were left in the middle of a step.
            responder.reset()
            Output.remark("interrupted while the sharer wrote; nothing was answered")
            return
        }
        try Output.line()
        messages = question + [ChatMessage(.assistant, answer.text)]
        answers.append(answer)
    }

    // MARK: Commands

    private static let help = """
        /mode [MODE]   show or change who answers: \(AnswerMode.allCases.map(\.rawValue).joined(separator: ", "))
        /reset         forget the conversation
        /stats         what the answers took
        /save FILE     write the conversation as JSON
        /help          this list
        /quit          end
        """

    /// - Returns: false to end.
    private mutating func obey(_ line: String) throws -> Bool {
        let fields = line.split(separator: " ", maxSplits: 1).map(String.init)
        let argument = fields.count > 1 ? fields[1].trimmingCharacters(in: .whitespaces) : nil
        switch fields[0] {
        case "/quit", "/exit": return false
        case "/help": Output.remark(Self.help)
        case "/reset":
            messages = opening
            answers = []
            responder.reset()
        case "/mode": try change(to: argument)
        case "/stats": Output.remark(stats)
        case "/save": try save(to: argument)
        default: throw UsageError("there is no command \(fields[0]); /help lists those there are")
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

    private func save(to path: String?) throws {
        guard let path else { throw UsageError("/save needs the name of a file") }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .withoutEscapingSlashes]
        do {
            try encoder.encode(["messages": messages]).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw UsageError("\(path) can't be written: \(error.localizedDescription)")
        }
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
            + "\n\(used) of \(responder.options.context ?? 0) tokens of context, "
            + "weights \(formatBytes(responder.weightBytes)), caches \(formatBytes(responder.cacheBytes)), "
            + "peak device memory \(formatBytes(responder.backend.memory.peak))"
    }
}

/// Ctrl-C while a sharer writes what the receiver would have answered from.
private struct BackgroundInterrupted: Error {}
