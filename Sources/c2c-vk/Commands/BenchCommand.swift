import ArgumentParser
import Foundation
import Inference
import ModelLoading
import VulkanBackend

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures prefill, fusion and decode, as tokens per second.",
        discussion: """
            With directories; with --synthetic: random weights of a published model's true shape, made in device memory; or \
            with neither, the embedded pair. Rows: ppN is the receiver's prefill of N tokens, tgN its decode of N. With a sharer also what the \
            way through the cache consists of: the sharer's prefill, the receiver's, the fusion, the whole to the \
            first token (c2c ttftN), decode on the fused cache (c2c tgN); and, if asked for, text-to-text (text \
            ttftN+K: the sharer reads the prompt and writes K tokens, the receiver reads both). Lists such as 64,128 \
            make rows for each length.

            --json: model, device; rows with test, prompt_tokens, tokens, seconds of each run, tokens_per_s and its \
            spread, least_bytes and least_flops (what must be moved and computed: every weight and cache row once), and \
            with --device-limits bandwidth_share and arithmetic_share; ratios of times to the first token; memory: \
            weights_bytes, kv_cache_bytes, scratch_bytes (activations) and other_bytes make up device memory, of which \
            peak_device_bytes is the most and reserved_device_bytes what the driver gave; transfer_bytes come besides; \
            peak_process_bytes, and at the end process_anonymous_bytes and process_file_bytes.
            """)

    @OptionGroup var models: PairOptions

    @Option(help: ArgumentHelp("Receiver with random weights of this shape.", valueName: "preset"))
    var synthetic: String?

    @Option(
        help: ArgumentHelp(
            "Sharer with random weights of this shape, and a fuser to match; repeat for several.", valueName: "preset"))
    var syntheticSharer: [String] = []

    @Option(
        help: ArgumentHelp("Share of a synthetic fuser's gates that are open, 0 to 1. Default: 1.", valueName: "share"))
    var gates: Double?

    @OptionGroup var compute: ComputeOptions

    @Option(
        name: [.customShort("p"), .customLong("prompt-tokens")],
        help: ArgumentHelp(
            "Prompt tokens, or a list. Default: 512, or half of a smaller context.", valueName: "n,..."))
    var givenPromptTokens: CountList?

    @Option(
        name: [.customShort("n"), .customLong("new-tokens")],
        help: ArgumentHelp(
            "Decoded tokens, or a list; 0 leaves decode out. Default: 128, or a quarter of a smaller context.",
            valueName: "n,..."))
    var givenNewTokens: CountList?

    @Flag(help: "Also measure text-to-text; the first sharer is then loaded in full.")
    var textToText = false

    @Option(
        help: ArgumentHelp(
            "Tokens that the sharer writes in text-to-text, and measure it. Default: 64.", valueName: "k"))
    var sharerTokens: Int?

    @Flag(
        inversion: .prefixedNo,
        help: "Whether sharers and receiver prefill side by side. Default: where the device can run kernels so.")
    var overlap: Bool?

    @Flag(
        help:
            "Also measure what the device can do: memory bandwidth and float32 arithmetic. Rows get their shares of it; without models, -p and -n nothing else is measured."
    )
    var deviceLimits = false

    @Option(
        name: [.customShort("r"), .long], help: ArgumentHelp("Measured runs, after one to warm up.", valueName: "n"))
    var repetitions = 3

    @Option(help: "Chooses the random weights and the prompt.")
    var seed: UInt32 = 1

    @Flag(help: "Print one JSON object instead of the table.")
    var json = false

    @Flag(help: "Show the device time of each kind of kernel; kernels then run one at a time.")
    var profile = false

    /// What the sharer writes where text-to-text is measured.
    var writtenTokens: Int? { sharerTokens ?? (textToText ? 64 : nil) }

    /// Whether rows are wanted, and not only what the device can do.
    private var measuresModels: Bool {
        !deviceLimits || synthetic != nil || models.namesModels || givenPromptTokens != nil || givenNewTokens != nil
    }

    /// - Parameter context: tokens that the models were made for.
    func promptTokens(context: Int) -> [Int] { givenPromptTokens?.values ?? [max(2, min(512, context / 2))] }

    /// - Parameter context: as above.
    func newTokens(context: Int) -> [Int] { givenNewTokens?.values ?? [min(128, context / 4)] }

    func validate() throws {
        try models.check(for: models.defaultMode)
        guard synthetic == nil || !models.namesModels else {
            throw ValidationError("directories and synthetic models can't be mixed")
        }
        guard syntheticSharer.isEmpty || synthetic != nil else {
            throw ValidationError("--synthetic-sharer needs --synthetic PRESET for the receiver")
        }
        if models.fusion != nil, synthetic != nil, syntheticSharer.isEmpty {
            throw ValidationError(
                "--fusion combines sharers, and none is given; add --synthetic-sharer PRESET, or leave it out")
        }
        guard syntheticSharer.count <= 16 else {
            throw ValidationError("there are \(syntheticSharer.count) sharers; at most 16 are possible")
        }
        guard (givenPromptTokens?.values ?? []).allSatisfy({ $0 >= 2 }), repetitions >= 1, sharerTokens ?? 1 >= 1 else {
            throw ValidationError("a run needs at least 2 prompt tokens, 1 repetition and 1 token of the sharer")
        }
        if let gates {
            guard !syntheticSharer.isEmpty else {
                throw ValidationError("--gates needs --synthetic-sharer PRESET; a trained fuser has its own gates")
            }
            guard (0...1).contains(gates) else {
                throw ValidationError("--gates is \(gates); it is a share from 0 to 1")
            }
        }
    }

    func run() throws {
        var options = VulkanBackendOptions()
        options.profiles = profile
        let choice = try BackendChoice(compute.device, vulkan: options)
        guard measuresModels else {
            let limits = try DeviceLimitsReport(measuring: choice.backend)
            if json { try Output.json(limits) } else { try Output.line(limits.text) }
            return
        }
        if synthetic == nil, !models.namesModels {
            Output.remark(
                "no models are named, so the embedded pair is measured; --synthetic qwen3-0.6b measures a published shape"
            )
        }
        // The models are gone before the device is measured, which takes memory of its own.
        var report = try Bench(self, on: choice.backend).run()
        if profile, let backend = choice.backend as? VulkanBackend {
            Output.remark(try ProfileTable(backend.kernelProfile()).text)
        }
        if deviceLimits { report.add(try DeviceLimitsReport(measuring: choice.backend)) }
        if json { try Output.json(report) } else { try Output.line(report.text) }
    }
}

/// Numbers separated by commas.
struct CountList: ExpressibleByArgument {
    var values: [Int]

    init(values: [Int]) {
        self.values = values
    }

    init?(argument: String) {
        let fields = argument.split(separator: ",", omittingEmptySubsequences: false)
        values = fields.compactMap { Int($0) }.filter { (0...1 << 24).contains($0) }
        guard values.count == fields.count, !values.isEmpty else { return nil }
    }

    var defaultValueDescription: String { values.map(String.init).joined(separator: ",") }
}
