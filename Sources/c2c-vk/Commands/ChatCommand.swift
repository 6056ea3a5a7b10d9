import ArgumentParser
import Chat
import Foundation
import Inference

struct ChatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat", abstract: "Talks in turns; the models' caches are kept between them.",
        discussion: """
            Lines come from the terminal, or from a pipe. A line that ends in a backslash goes on with the next. Ctrl-C ends \
            an answer, Ctrl-D or /quit the program. /help lists what else there is.
            """)

    @OptionGroup var models: ModelOptions
    @OptionGroup var compute: ComputeOptions
    @OptionGroup var conversation: ConversationOptions
    @OptionGroup var sampling: SamplingOptions

    @Option(parsing: .unconditional, help: ArgumentHelp("The most tokens of an answer.", valueName: "n"))
    var maxNewTokens = 1024

    /// What the caches have room for unless said: enough for a long talk, and little memory.
    private static let defaultContext = 4096

    func validate() throws {
        try conversation.check(models)
        if maxNewTokens < 1 {
            throw ValidationError("--max-new-tokens is \(maxNewTokens); it must be at least 1")
        }
    }

    func run() throws {
        var settings = AnswerSettings()
        settings.maxNewTokens = maxNewTokens
        settings.sampling = sampling.settings
        settings.stopStrings = sampling.stop
        conversation.apply(to: &settings)
        try settings.sampling.check()

        let resolved = try models.resolved()
        let modes = resolved.possibleModes.union([models.resolvedMode])
        let engine = try Engine(resolved, modes: modes)
        let choice = try BackendChoice(compute.device)
        var options = Responder.Options(compute)
        options.context = compute.context ?? min(Self.defaultContext, engine.maximumContext)
        let responder = try engine.load(
            on: choice.backend, weightType: compute.weights.elementType, options: options)
        var chat = ChatLoop(
            responder, modes: modes, mode: models.resolvedMode, settings: settings,
            opening: conversation.opening)
        try chat.run()
    }
}
