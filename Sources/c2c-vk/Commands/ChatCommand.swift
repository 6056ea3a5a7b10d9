import ArgumentParser
import Chat
import Foundation
import Inference

struct ChatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat", abstract: "Talks in turns; the models' caches are kept between them.",
        discussion: """
            Messages come from the terminal, or line by line from a pipe. What is pasted is one message; a line that ends in a \
            backslash goes on with the next. Ctrl-C ends an answer, a second one, Ctrl-D or /quit the program. /help lists what \
            else there is. What is typed is kept for the next chat in \
            ~/.local/state/c2c-vk/chat-history ($XDG_STATE_HOME), unless --no-history is given or C2C_VK_HISTORY is off.
            """)

    @OptionGroup var models: ModelOptions
    @OptionGroup var compute: ComputeOptions
    @OptionGroup var conversation: ConversationOptions
    @OptionGroup var sampling: SamplingOptions

    @Option(parsing: .unconditional, help: ArgumentHelp("The most tokens of an answer.", valueName: "n"))
    var maxNewTokens = 1024

    @Option(
        help: ArgumentHelp(
            "What becomes of a conversation that the context has no room for: stop says how to go on, drop forgets the oldest turns.",
            valueName: "stop|drop"))
    var contextFull = ContextFull.stop

    @Flag(help: "Keep nothing of what is typed for later chats.")
    var noHistory = false

    /// What the caches have room for unless said: enough for a long talk, and little memory.
    private static let defaultContext = 4096

    func validate() throws {
        if maxNewTokens < 1 {
            throw ValidationError("--max-new-tokens is \(maxNewTokens); it must be at least 1")
        }
        try conversation.check(for: models.pair)
    }

    func run() throws {
        var settings = AnswerSettings()
        settings.maxNewTokens = maxNewTokens
        settings.stopStrings = sampling.stop
        conversation.apply(to: &settings)
        try sampling.settings().check()

        let resolved = try models.resolved()
        let modes = resolved.possibleModes.union([models.resolvedMode])
        let engine = try Engine(resolved, modes: modes)
        let chosen = try ChatSampling(sampling, engine)
        let mode = models.resolvedMode
        let choice = try BackendChoice(compute.device)
        var options = Responder.Options(compute)
        let context = compute.context ?? min(Self.defaultContext, engine.maximumContext)
        options.context = context
        let responder = try engine.load(
            on: choice.backend, weightType: compute.weights.elementType, options: options)
        var chat = ChatLoop(
            responder, modes: modes, mode: mode, settings: settings, sampling: chosen,
            conversation: Conversation(
                opening: conversation.opening, context: context, maximumContext: engine.maximumContext),
            contextFull: contextFull)
        // Who sends lines through a pipe is told only what changes the answers.
        let isTold = StandardInput.isTerminal
        if isTold { Output.remark(try contextText(context, responder, mode, engine)) }
        if isTold || chosen.followsFile(for: mode) { Output.remark(chosen.text(for: mode)) }
        if chosen.settings(for: mode).isGreedy { sampling.remarks.forEach(Output.remark) }
        chosen.warnings.forEach { Output.remark("warning: \($0)") }
        try chat.run(ChatInput(keepsHistory: !noHistory))
    }

    /// How long the talk can get, why so, and what memory that takes.
    private func contextText(
        _ context: Int, _ responder: Responder, _ mode: AnswerMode, _ engine: Engine
    ) throws -> String {
        let most = engine.maximumContext
        let reason =
            context == most
            ? "all that the models were made for" : "of \(most) that the models were made for; --context N changes it"
        let bytes = try responder.cacheBytes(for: mode, tokens: context)
        return "context: \(context) tokens, \(reason); caches take \(formatBytes(bytes)), "
            + "\(formatBytes(bytes / max(1, context))) a token"
    }
}
