import ArgumentParser
import Chat
import Foundation
import Inference
import OutputFiles
import VulkanBackend

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Answers a prompt: alone, or with sharers' KV-caches fused in.",
        discussion: "The answer streams to standard output, timings go to standard error.")

    @OptionGroup var models: ModelOptions
    @OptionGroup var compute: ComputeOptions
    @OptionGroup var prompt: PromptOptions
    @OptionGroup var conversation: ConversationOptions
    @OptionGroup var sampling: SamplingOptions

    @Option(parsing: .unconditional, help: ArgumentHelp("The most tokens to answer with.", valueName: "n"))
    var maxNewTokens = 256

    @Flag(help: "Go on after the model has ended its answer.")
    var ignoreEos = false

    @Flag(help: "Fuse the answer's tokens too, not only the prompt's.")
    var includeResponse = false

    @Flag(help: "Print one JSON object instead of the text.")
    var json = false

    @Option(help: ArgumentHelp("Also write caches and logits, in float32.", valueName: "file.safetensors"))
    var dump: String?

    @Flag(help: "Let --dump replace a file that is no earlier dump.")
    var force = false

    @Flag(help: "Show the device time of each kind of kernel; kernels then run one at a time.")
    var profile = false

    func validate() throws {
        if maxNewTokens < 1 {
            throw ValidationError("--max-new-tokens is \(maxNewTokens); it must be at least 1")
        }
        if force, dump == nil { throw ValidationError("--force goes with --dump") }
        if dump != nil, models.resolvedMode == .text {
            throw ValidationError("--dump shows the run of one model; choose a --mode other than text")
        }
        if models.resolvedMode == .text, prompt.raw || prompt.promptIds != nil {
            throw ValidationError(
                "--mode text puts the prompt into conversations of its own; give it as text, without --raw")
        }
        try refuseIgnored()
    }

    /// What would be without effect is an error: it was meant to have one.
    private func refuseIgnored() throws {
        let mode = models.resolvedMode
        try conversation.check(models)
        if prompt.raw || prompt.promptIds != nil, let flag = conversation.flagForConversation {
            throw ValidationError(
                "\(flag) is for conversations, and \(prompt.raw ? "--raw" : "--prompt-ids") gives none; leave one of them out"
            )
        }
        if mode != .text, let flag = conversation.flagForBackground {
            throw ValidationError("\(flag) is for --mode text; the mode is \(mode.rawValue)")
        }
        if mode == .receiver, conversation.sharerSystem != nil {
            throw ValidationError("--sharer-system is for modes that ask a sharer; the mode is receiver")
        }
        if mode != .c2c {
            if prompt.sharerPromptIds != nil { throw ValidationError("--sharer-prompt-ids is for --mode c2c") }
            if includeResponse { throw ValidationError("--include-response is for --mode c2c") }
        }
        if mode == .text, prompt.sections != nil {
            throw ValidationError("--sections cuts one prompt, and --mode text has two; leave one of them out")
        }
    }

    func run() throws {
        let mode = models.resolvedMode
        var settings = AnswerSettings()
        settings.maxNewTokens = maxNewTokens
        settings.ignoresEnd = ignoreEos
        settings.sampling = sampling.settings
        settings.stopStrings = sampling.stop
        conversation.apply(to: &settings)
        try settings.sampling.check()
        let place = try dump.map { try OutputPlace($0, replacing: TensorDump.mark, isForced: force) }

        let engine = try Engine(try models.resolved(), modes: [mode])
        var vulkanOptions = VulkanBackendOptions()
        vulkanOptions.profiles = profile
        let clock = ContinuousClock()
        let start = clock.now
        let choice = try BackendChoice(compute.device, vulkan: vulkanOptions)
        var options = Responder.Options(compute)
        options.includesResponse = includeResponse
        let responder = try engine.load(
            on: choice.backend, weightType: compute.weights.elementType, options: options,
            allSharerLayers: dump != nil)
        let loadSeconds = (clock.now - start).seconds

        let compiling = CompilingLine()
        (choice.backend as? VulkanBackend)?.kernelObserver = { compiling.update(ready: $0, wanted: $1) }
        defer { compiling.finish() }
        let answer = try answer(responder, mode, settings, dump: place)
        let report = GenerationReport(choice: choice, responder: responder, answer: answer, loadSeconds: loadSeconds)
        if json {
            try Output.json(report)
        } else {
            try Output.line()
            Output.remark(report.summary)
        }
        if profile { try showProfile(choice.backend) }
    }

    private func answer(
        _ responder: Responder, _ mode: AnswerMode, _ settings: AnswerSettings, dump: OutputPlace?
    ) throws -> Answer {
        let display = ReadingDisplay()
        responder.onRead = display.update
        defer { display.finish() }
        let onText = { (part: String) in
            display.finish()
            if !json { try Output.write(part) }
            return true
        }
        if mode == .text {
            guard let question = try prompt.question(opening: conversation.opening) else { throw Self.noPrompt }
            return try responder.answer(question, mode: mode, settings: settings, onText: onText)
        }
        let prompt = try prompt.prompt(
            for: responder, mode: mode, settings: settings, opening: conversation.opening)
        guard let prompt else { throw Self.noPrompt }
        guard let dump else { return try responder.answer(prompt, mode: mode, settings: settings, onText: onText) }
        let traced = try TracedAnswer(responder, mode: mode, prompt: prompt, settings: settings)
        try traced.dump.write(to: dump)
        let answer = try traced.outcome.get()
        _ = try onText(answer.text)
        return answer
    }

    private static let noPrompt = UsageError("there is no prompt; give text, or --prompt-ids")

    private func showProfile(_ backend: any Backend) throws {
        guard let backend = backend as? VulkanBackend else {
            throw UsageError("--profile measures a Vulkan device; leave out --device cpu")
        }
        Output.remark(try ProfileTable(backend.kernelProfile()).text)
    }
}
