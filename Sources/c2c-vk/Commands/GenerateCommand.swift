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

    @Option(
        help: ArgumentHelp("Also write caches and logits, in float32.", valueName: "file.safetensors"),
        completion: .file())
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
        if models.resolvedMode == .text, prompt.sections != nil {
            throw ValidationError("--sections says what is fused, and in --mode text nothing is; leave it out")
        }
        if includeResponse, !models.pair.hasSharer {
            throw ValidationError(
                "--include-response fuses answers too, and there is no sharer; add --sharer DIR, or leave it out")
        }
        try conversation.check(for: models.pair)
        try conversation.check(for: prompt)
    }

    /// What is given and does nothing in this run, though it would in another mode or with chance.
    private var remarks: [String] {
        let mode = models.resolvedMode
        var flags = mode == .text ? [] : conversation.backgroundFlags
        if mode == .receiver, conversation.sharerSystem != nil { flags.append("--sharer-system") }
        if mode != .c2c {
            if includeResponse { flags.append("--include-response") }
            if prompt.sharerPromptIds != nil { flags.append("--sharer-prompt-ids") }
        }
        return sampling.remarks + flags.map { "\($0) does nothing in mode \(mode.rawValue)" }
    }

    func run() throws {
        let clock = ContinuousClock()
        let start = clock.now
        let mode = models.resolvedMode
        var settings = AnswerSettings()
        settings.maxNewTokens = maxNewTokens
        settings.ignoresEnd = ignoreEos
        settings.sampling = sampling.settings()
        settings.stopStrings = sampling.stop
        conversation.apply(to: &settings)
        try settings.sampling.check()
        let place = try dump.map { try OutputPlace($0, replacing: TensorDump.mark, isForced: force) }

        remarks.forEach(Output.remark)
        let engine = try Engine(try models.resolved(), modes: [mode])
        var vulkanOptions = VulkanBackendOptions()
        vulkanOptions.profiles = profile
        let opened = clock.now
        let choice = try BackendChoice(compute.device, vulkan: vulkanOptions)
        var options = Responder.Options(compute)
        options.includesResponse = includeResponse
        let responder = try engine.load(
            on: choice.backend, weightType: compute.weights.elementType, options: options,
            allSharerLayers: dump != nil)
        let loaded = clock.now

        let compiling = CompilingLine()
        (choice.backend as? VulkanBackend)?.kernelObserver = { compiling.update(ready: $0, wanted: $1) }
        defer { compiling.finish() }
        let answer = try answer(responder, mode, settings, dump: place)
        let timeline = Timeline(
            open: (opened - start).seconds, load: (loaded - opened).seconds, total: (clock.now - start).seconds,
            answer: answer)
        let report = GenerationReport(choice: choice, responder: responder, answer: answer, timeline: timeline)
        if json {
            try Output.json(report)
        } else {
            try Output.line()
            Output.remark(report.summary)
        }
        if let backend = choice.backend as? VulkanBackend, profile {
            Output.remark(try ProfileTable(backend.kernelProfile()).text)
        }
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
}
