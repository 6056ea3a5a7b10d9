import ArgumentParser
import Foundation
import Inference
import Tokenization
import VulkanBackend

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Answers a prompt: alone, or with sharers' KV-caches fused in.",
        discussion: "The answer streams to standard output, timings go to standard error.")

    @OptionGroup var models: ModelOptions
    @OptionGroup var compute: ComputeOptions
    @OptionGroup var prompt: PromptOptions

    @Option(help: ArgumentHelp("The most tokens to answer with.", valueName: "n"))
    var maxNewTokens = 256

    @Flag(help: "Go on after the model has ended its answer.")
    var ignoreEos = false

    @Flag(help: "Print one JSON object instead of the text.")
    var json = false

    @Option(help: ArgumentHelp("Also write caches and logits, in float32.", valueName: "file.safetensors"))
    var dump: String?

    @Flag(help: "Show the device time of each kind of kernel; kernels then run one at a time.")
    var profile = false

    func validate() throws {
        if maxNewTokens < 1 {
            throw ValidationError("--max-new-tokens is \(maxNewTokens); it must be at least 1")
        }
    }

    func run() throws {
        let mode = models.resolvedMode
        let engine = try Engine(models, mode: mode)
        let tokenizer = try engine.tokenizer()
        guard let tokens = try prompt.tokens(tokenizer) else {
            throw UsageError("there is no prompt; give text with --raw, or --prompt-ids")
        }
        let sections = try prompt.sections(promptLength: tokens.count, sharerCount: engine.sharers.count)
        let capacity = try engine.capacity(
            promptTokens: tokens.count, newTokens: maxNewTokens, context: compute.context)

        let clock = ContinuousClock()
        let start = clock.now
        var options = VulkanBackendOptions()
        options.profiles = profile
        let choice = try BackendChoice(compute.device, vulkan: options)
        let session = try engine.makeSession(
            on: choice.backend, capacity: capacity, cacheType: compute.kvDtype.elementType,
            weightType: compute.weights.elementType, allSharerLayers: dump != nil)
        let loadSeconds = (clock.now - start).seconds

        let endTokens = ignoreEos ? [] : engine.answering.endTokens
        var detokenizer = tokenizer.map { StreamingDetokenizer($0, skipSpecialTokens: true) }
        let result: GenerationResult
        if let dump {
            let traced = try TracedAnswer(
                session, mode: mode, prompt: Prompt(tokens, sections: sections), maxNewTokens: maxNewTokens,
                endTokens: endTokens)
            try traced.dump.write(to: dump)
            result = traced.result
            if !json { for token in result.tokens { try stream(token, tokenizer, &detokenizer) } }
        } else {
            result = try session.generate(
                Prompt(tokens, sections: sections), maxNewTokens: maxNewTokens, endTokens: endTokens,
                onToken: json
                    ? nil
                    : {
                        try stream($0, tokenizer, &detokenizer)
                        return true
                    })
        }
        let report = try Report(
            mode: mode, choice: choice, session: session, prompt: tokens, result: result,
            text: tokenizer.map { try $0.decodeKnown(result.tokens) } ?? "", loadSeconds: loadSeconds)
        if json {
            try Output.json(report)
        } else {
            Output.line(detokenizer?.finish() ?? "")
            Output.remark(report.summary)
        }
        if profile { try showProfile(choice.backend) }
    }

    /// Prints a token: its text, or without a tokenizer its id.
    private func stream(
        _ token: Int, _ tokenizer: Tokenizer?, _ detokenizer: inout StreamingDetokenizer?
    ) throws {
        guard detokenizer != nil else {
            Output.write("\(token) ")
            return
        }
        guard let tokenizer, tokenizer.knows(token) else { return }
        Output.write(try detokenizer?.append(token) ?? "")
    }

    private func showProfile(_ backend: any Backend) throws {
        guard let backend = backend as? VulkanBackend else {
            throw UsageError("--profile measures a Vulkan device; leave out --device cpu")
        }
        Output.remark(try ProfileTable(backend.kernelProfile()).text)
    }
}

extension GenerateCommand {
    /// What `--json` prints.
    struct Report: Encodable {
        struct Device: Encodable {
            /// Null for the CPU reference.
            var index: Int?
            var name: String

            enum CodingKeys: CodingKey {
                case index, name
            }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(index, forKey: .index)
                try container.encode(name, forKey: .name)
            }
        }

        struct Timings: Encodable {
            var load_s: Double
            var sharer_prefill_s: Double
            var receiver_prefill_s: Double
            var fusion_s: Double
            var ttft_s: Double
            var decode_s: Double
            var decode_tokens_per_s: Double
        }

        struct Memory: Encodable {
            var weights_bytes: Int
            var kv_cache_bytes: Int
            var peak_device_bytes: Int
        }

        var mode: String
        var device: Device
        var prompt_tokens: [Int]
        var tokens: [Int]
        var text: String
        var finish_reason: String
        var timings: Timings
        var memory: Memory

        init(
            mode: Mode, choice: BackendChoice, session: Session, prompt: [Int], result: GenerationResult,
            text: String, loadSeconds: Double
        ) throws {
            let backend = choice.backend
            self.mode = mode.rawValue
            device = Device(index: choice.index, name: backend.name)
            prompt_tokens = prompt
            tokens = result.tokens
            self.text = text
            finish_reason = result.finishReason.rawValue
            timings = Timings(
                load_s: loadSeconds, sharer_prefill_s: try backend.seconds(in: .sharerPrefill),
                receiver_prefill_s: try backend.seconds(in: .receiverPrefill),
                fusion_s: try backend.seconds(in: .fusion), ttft_s: result.timeToFirstToken,
                decode_s: result.decodeSeconds,
                decode_tokens_per_s: result.decodeSeconds > 0
                    ? Double(result.decodedTokens) / result.decodeSeconds : 0)
            let weights =
                session.receiver.weightBytes
                + session.sharers.reduce(0) { $0 + $1.decoder.weightBytes + $1.fuser.weightBytes }
            memory = Memory(
                weights_bytes: weights, kv_cache_bytes: session.cacheBytes, peak_device_bytes: backend.memory.peak)
        }

        /// One line for people.
        var summary: String {
            "\(mode) on \(device.name): \(prompt_tokens.count) prompt tokens, first token after "
                + "\((timings.ttft_s * 1000).decimals(1)) ms (sharer \((timings.sharer_prefill_s * 1000).decimals(1)), "
                + "receiver \((timings.receiver_prefill_s * 1000).decimals(1)), fusion "
                + "\((timings.fusion_s * 1000).decimals(1))), \(tokens.count) tokens, "
                + "\(timings.decode_tokens_per_s.decimals(1)) tokens/s, loaded in \(timings.load_s.decimals(2)) s, "
                + "peak device memory \(formatBytes(memory.peak_device_bytes))"
        }
    }
}

extension Tokenizer {
    /// Whether an id stands for text. Models' vocabularies are often padded beyond their tokenizer's, and an untrained model
    /// may choose such an id; like Hugging Face's decoders, ours then gives no text.
    fileprivate func knows(_ id: Int) -> Bool { id < vocabularySize }

    /// The text of the ids that stand for some, special tokens left out.
    fileprivate func decodeKnown(_ ids: [Int]) throws -> String {
        try decode(ids.filter(knows), skipSpecialTokens: true)
    }
}
