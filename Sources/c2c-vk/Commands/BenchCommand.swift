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
            With directories, or with --synthetic: random weights of a published model's true shape, made in device \
            memory. Rows: ppN is the receiver's prefill of N tokens, tgN its decode of N; with a sharer also the \
            sharer's prefill, the fusion, and the whole way to the first token.
            """)

    @OptionGroup var models: ModelOptions

    @Option(help: ArgumentHelp("Receiver with random weights of this shape.", valueName: "preset"))
    var synthetic: String?

    @Option(help: ArgumentHelp("Sharer with random weights of this shape, and a fuser to match.", valueName: "preset"))
    var syntheticSharer: String?

    @OptionGroup var compute: ComputeOptions

    @Option(name: [.customShort("p"), .long], help: ArgumentHelp("Prompt tokens.", valueName: "n"))
    var promptTokens = 512

    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("Decoded tokens.", valueName: "n"))
    var newTokens = 128

    @Option(
        name: [.customShort("r"), .long], help: ArgumentHelp("Measured runs, after one to warm up.", valueName: "n"))
    var repetitions = 3

    @Option(help: "Chooses the random weights and the prompt.")
    var seed: UInt32 = 1

    @Flag(help: "Print one JSON object instead of the table.")
    var json = false

    @Flag(help: "Show the device time of each kind of kernel; kernels then run one at a time.")
    var profile = false

    func validate() throws {
        guard synthetic == nil || (models.receiver == nil && models.sharer.isEmpty) else {
            throw ValidationError("directories and synthetic models can't be mixed")
        }
        guard syntheticSharer == nil || synthetic != nil else {
            throw ValidationError("--synthetic-sharer needs --synthetic PRESET for the receiver")
        }
        guard promptTokens >= 2, newTokens >= 1, repetitions >= 1 else {
            throw ValidationError("a run needs at least 2 prompt tokens, 1 new token and 1 repetition")
        }
    }

    func run() throws {
        var options = VulkanBackendOptions()
        options.profiles = profile
        let choice = try BackendChoice(compute.device, vulkan: options)
        let bench = try Bench(self, choice)
        let report = try bench.run()
        if json {
            try Output.json(report)
        } else {
            Output.line(report.text)
        }
        if profile, let backend = choice.backend as? VulkanBackend {
            Output.remark(try ProfileTable(backend.kernelProfile()).text)
        }
    }
}
