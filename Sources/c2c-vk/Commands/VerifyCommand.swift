import ArgumentParser
import Chat
import Foundation
import Inference
import ReferenceBackend

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compares the device with the CPU reference on one prompt, layer by layer.",
        discussion: """
            Both run the receiver alone and, with a sharer, cache-to-cache. Exit code 1 when a difference exceeds the \
            tolerance: 2e-4 of the tensor's largest value with float32 caches; with 16-bit caches, four units in the \
            last place of the cache's type (steps of its largest blocks for q8_0), since both sides round values that \
            differ in their last bits, or twice what rounding the cache changes in the tensor at all, which the reference \
            measures by a second run with float32 caches. Values that are infinite or NaN on both sides agree, but logits \
            that are so never pass. With --weights q8_0 or q4_0 both use the quantized weights, and a second table \
            says what these cost in logits against the checkpoint's own, both on the device; it doesn't change the \
            exit code.
            """)

    @OptionGroup var models: ModelOptions
    @OptionGroup var compute: ComputeOptions
    @OptionGroup var prompt: PromptOptions

    @Option(help: ArgumentHelp("Tokens to decode after the prompt.", valueName: "n"))
    var maxNewTokens = 4

    @Option(help: "Chooses the made-up prompt that is used when none is given.")
    var seed: UInt64 = 1

    @Flag(help: "Print one JSON object instead of the table; in it, what is no number is the string inf, -inf or nan.")
    var json = false

    /// Largest difference over largest value that rounding explains.
    static func tolerance(_ type: CacheType) -> Float {
        switch type {
        case .f32: 2e-4
        case .f16: 4 * 0x1p-10
        case .bf16: 4 * 0x1p-7
        case .q8_0: 4 / 127
        }
    }

    func run() throws {
        let mode = models.resolvedMode
        let modes: Set<AnswerMode> = mode == .c2c ? [.c2c, .receiver] : [mode]
        let engine = try Engine(try models.resolved(), modes: modes)
        let choice = try BackendChoice(compute.device)
        guard choice.index != nil else {
            throw UsageError("--device cpu is the reference itself; choose a Vulkan device to compare with it")
        }
        let weightType = compute.weights.elementType
        var responder = try engine.load(
            on: choice.backend, weightType: weightType, options: Responder.Options(compute))
        let given = try prompt.prompt(for: responder, mode: mode, settings: AnswerSettings())
        let asked = given ?? madeUpPrompt(engine, sharerCount: mode == .c2c ? engine.sharers.count : 0)
        var runs = [(mode: mode, prompt: asked)]
        if mode == .c2c {
            let alone = Section.defaults(promptLength: asked.count, sharerCount: 0)
            runs.insert((.receiver, Prompt(asked.receiver, sections: alone)), at: 0)
        }
        let found = try runs.map { try trace(responder, $0.mode, $0.prompt) }
        var cost: QuantizationCost?
        if weightType?.blockFormat != nil {
            responder = try engine.load(on: choice.backend, weightType: nil, options: Responder.Options(compute))
            let original = try runs.map { try trace(responder, $0.mode, $0.prompt) }
            var measured = QuantizationCost(weights: compute.weights.rawValue)
            for (quantized, original) in zip(found, original) {
                for pair in comparable(quantized, original) where pair.found.name.hasSuffix("logits") {
                    measured.add(pair.found, original: pair.reference)
                }
            }
            cost = measured
        }
        let limit = Self.tolerance(compute.kvDtype)
        let exactCaches = try exactReference(engine, weightType)
        responder = try engine.load(on: ReferenceBackend(), weightType: weightType, options: Responder.Options(compute))
        let rows = try zip(runs, found).flatMap { run, found in
            let reference = try trace(responder, run.mode, run.prompt)
            let exact = try exactCaches.map { try trace($0, run.mode, run.prompt) }
            let rounding = exact.map {
                comparable(reference, $0).map { Row($0.found, reference: $0.reference).relative }
            }
            let agreeing = agreeingSteps(found, reference)
            let steps = reference.greedyTokens.count
            if agreeing < steps {
                Output.remark(
                    "\(run.mode.rawValue): new tokens agree for \(agreeing) of \(steps) steps; "
                        + "later logits are left out")
            }
            return comparable(found, reference).enumerated().map { index, pair in
                // Each side may be off by as much as rounding changes, if that leaves numbers.
                let rounded = rounding.map { $0[index] }.flatMap { $0.isFinite ? 2 * $0 : nil } ?? 0
                return Row(pair.found, reference: pair.reference, allowed: max(limit, rounded))
            }
        }
        let holds = rows.allSatisfy(\.holds)
        if json {
            try Output.json(
                Report(
                    device: choice.backend.name, prompt_tokens: asked.receiver.ids, kv_dtype: compute.kvDtype.rawValue,
                    tolerance: limit, passed: holds, tensors: rows, quantization: cost))
        } else {
            let countsStrange = rows.contains { $0.not_finite > 0 }
            var table = Table(
                ["tensor", "largest value", "max difference", "relative", "allowed"]
                    + (countsStrange ? ["infinite or NaN"] : []), rightAligned: [1, 2, 3, 4, 5])
            for row in rows {
                table.add(
                    [
                        row.name, String(format: "%.4g", row.largest), String(format: "%.3g", row.absolute),
                        String(format: "%.3g", row.relative) + (row.holds ? "" : " beyond"),
                        String(format: "%.3g", row.allowed),
                    ] + (countsStrange ? [String(row.not_finite)] : []))
            }
            try Output.line(table.text)
            let largest = rows.map(\.relative).max() ?? 0
            // Else a reader has to wonder how more than the tolerance can be right.
            let excuse = holds && largest > limit ? ", exceeded only where rounding the caches changes as much" : ""
            try Output.line(
                "\(choice.backend.name) against the CPU reference: \(rows.count) tensors, largest relative difference "
                    + String(format: "%.3g", largest) + ", tolerance " + String(format: "%.3g", limit) + excuse)
            if let cost {
                try Output.line("\n\(cost.text)")
                try Output.line("\(cost.weights) weights against the checkpoint's own, both on \(choice.backend.name)")
            }
        }
        guard holds else { throw CheckFailed(description: failure(of: rows, limit, found)) }
    }

    /// What is worst of rows of which some don't hold.
    private func failure(of rows: [Row], _ limit: Float, _ found: [TracedAnswer]) -> String {
        if let row = rows.first(where: \.isUnchoosable) {
            let reasons = found.compactMap { answer in
                if case .failure(let error) = answer.outcome { error.description } else { nil }
            }
            return "\(row.name) has \(row.not_finite) values that are infinite or NaN"
                + (reasons.first.map { "; on the device, \($0)" } ?? ", on the CPU reference only")
        }
        let worst = rows.max { $0.relative / $0.allowed < $1.relative / $1.allowed }
        return "\(worst?.name ?? "a tensor") differs by \(worst?.relative ?? 0) of its largest value, "
            + "more than \(worst?.allowed ?? limit)"
    }

    /// A fixed list of ids below every model's vocabulary.
    private func madeUpPrompt(_ engine: Engine, sharerCount: Int) -> Prompt {
        let vocabulary = engine.models.map(\.description.vocabularySize).min() ?? 1
        var state = seed
        let ids = (0..<min(33, engine.maximumContext)).map { _ in
            // A linear congruential generator (Knuth's MMIX constants); the upper bits are the random ones.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % vocabulary
        }
        return Prompt(ids, sections: Section.defaults(promptLength: ids.count, sharerCount: sharerCount))
    }

    /// The reference with float32 caches; nil where these are the ones to verify.
    private func exactReference(_ engine: Engine, _ weightType: ElementType?) throws -> Responder? {
        guard compute.kvDtype != .f32 else { return nil }
        var options = Responder.Options(compute)
        options.cacheType = .f32
        return try engine.load(on: ReferenceBackend(), weightType: weightType, options: options)
    }

    /// Generates with everything kept that can be compared.
    private func trace(_ responder: Responder, _ mode: AnswerMode, _ prompt: Prompt) throws -> TracedAnswer {
        var settings = AnswerSettings()
        settings.maxNewTokens = maxNewTokens
        settings.ignoresEnd = true
        return try TracedAnswer(responder, mode: mode, prompt: prompt, settings: settings)
    }

    /// How many new tokens are the same, from the first one on.
    private func agreeingSteps(_ found: TracedAnswer, _ reference: TracedAnswer) -> Int {
        zip(found.greedyTokens, reference.greedyTokens).prefix { $0 == $1 }.count
    }

    /// The tensors of both, side by side. A step's logits depend on the tokens before it, so they compare as long as those
    /// agree.
    private func comparable(
        _ found: TracedAnswer, _ reference: TracedAnswer
    ) -> [(found: NamedTensor, reference: NamedTensor)] {
        let agreeing = agreeingSteps(found, reference)
        return zip(found.dump.tensors, reference.dump.tensors).map { found, reference in
            let both = min(found.shape[0], reference.shape[0])
            let steps = found.name.hasSuffix(".step_logits") ? min(agreeing + 1, both) : both
            return (found.prefix(steps), reference.prefix(steps))
        }
    }

    struct Row: Encodable {
        var name: String
        /// Of the reference's numbers.
        var largest: Float
        /// Infinite where one side has a number and the other none.
        var absolute: Float
        var relative: Float
        /// What `relative` may be.
        var allowed: Float
        /// Values that are infinite or NaN, on one side or on both.
        var not_finite: Int

        /// Whether they are logits from which no token can be chosen.
        var isUnchoosable: Bool { not_finite > 0 && name.hasSuffix("logits") }

        var holds: Bool { relative <= allowed && !isUnchoosable }

        init(_ found: NamedTensor, reference: NamedTensor, allowed: Float = .infinity) {
            self.allowed = allowed
            name = found.name
            (largest, absolute, not_finite) = (0, 0, 0)
            for (found, reference) in zip(found.values, reference.values) {
                if reference.isFinite { largest = max(largest, abs(reference)) }
                if !found.isFinite || !reference.isFinite { not_finite += 1 }
                if found.isFinite != reference.isFinite {
                    absolute = .infinity
                } else if found.isFinite {
                    absolute = max(absolute, abs(found - reference))
                }
            }
            relative = absolute / max(largest, .leastNormalMagnitude)
        }
    }

    private struct Report: Encodable {
        var device: String
        var prompt_tokens: [Int]
        var kv_dtype: String
        var tolerance: Float
        var passed: Bool
        var tensors: [Row]
        /// Only where weights are quantized.
        var quantization: QuantizationCost?
    }
}
