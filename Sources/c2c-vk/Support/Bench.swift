import Foundation
import Inference

/// Runs of the models' sessions, and what they took.
///
/// All lengths, and all ways to a first token, are run in turn, so that what disturbs the machine disturbs them alike.
struct Bench {
    private let command: BenchCommand
    private let backend: any Backend
    private let models: BenchModels
    private let promptTokens: [Int]
    private let newTokens: [Int]

    init(_ command: BenchCommand, on backend: any Backend) throws {
        self.command = command
        self.backend = backend
        let files = try BenchFiles(command)
        promptTokens = command.promptTokens(context: files.context)
        newTokens = command.newTokens(context: files.context)
        let mostAfter = max(newTokens.max() ?? 0, command.writtenTokens ?? 0)
        models = try BenchModels(
            command, files, on: backend,
            capacity: max(command.compute.context ?? 0, (promptTokens.max() ?? 0) + mostAfter))
    }

    func run() throws -> BenchReport {
        var rows: [BenchReport.Row] = []
        var ratios: [BenchReport.Ratios] = []
        let timesByCount = try measure()
        for (count, times) in zip(promptTokens, timesByCount) {
            rows += self.rows(count, times)
            if let fused = times.fusedFirst.mean, let alone = times.aloneFirst.mean {
                ratios.append(
                    BenchReport.Ratios(
                        prompt_tokens: count, c2c_to_receiver: fused / alone,
                        text_to_c2c: times.writtenFirst.mean.map { $0 / fused }))
            }
        }
        return BenchReport(
            model: models.names.joined(separator: " + "), device: backend.name,
            memory: BenchReport.Memory(
                weights: models.weightBytes, caches: models.cacheBytes, backend.memory, ProcessMemory.current),
            rows: rows, ratios: ratios)
    }

    // MARK: Runs

    /// Seconds of every run with one prompt.
    private struct Times {
        /// To the first token: the receiver alone, cache to cache, with text written in between.
        var aloneFirst: [Double] = []
        var fusedFirst: [Double] = []
        var writtenFirst: [Double] = []
        var phases: [Phase: [Double]] = [:]
        /// By number of new tokens: the decode of all of them.
        var aloneDecode: [Int: [Double]] = [:]
        var fusedDecode: [Int: [Double]] = [:]
    }

    /// One run of everything to warm up, then the measured ones.
    ///
    /// - Returns: by prompt.
    private func measure() throws -> [Times] {
        let prompts = promptTokens.map(prompt)
        // The longest first, so that scratch memory is made once, as large as it needs to be.
        for prompt in prompts.sorted(by: { $0.count > $1.count }) {
            var times = Times()
            try run(prompt, newTokens: min(1, newTokens.max() ?? 0), &times)
            try runText(prompt, &times)
        }
        var times = prompts.map { _ in Times() }
        for _ in 0..<command.repetitions {
            for (index, prompt) in prompts.enumerated() {
                for newTokens in newTokens { try run(prompt, newTokens: newTokens, &times[index]) }
                try runText(prompt, &times[index])
            }
        }
        return times
    }

    private func run(_ prompt: [Int], newTokens: Int, _ times: inout Times) throws {
        let alone = try generate(models.alone, prompt, newTokens)
        times.aloneFirst.append(alone.timeToFirstToken)
        if newTokens > 0 { times.aloneDecode[newTokens, default: []].append(alone.decodeSeconds) }
        guard let session = models.fused else { return }
        try backend.resetTimings()
        let fused = try generate(session, prompt, newTokens)
        for phase in Phase.allCases { times.phases[phase, default: []].append(try backend.seconds(in: phase)) }
        times.fusedFirst.append(fused.timeToFirstToken)
        if newTokens > 0 { times.fusedDecode[newTokens, default: []].append(fused.decodeSeconds) }
    }

    private func generate(_ session: Session, _ prompt: [Int], _ newTokens: Int) throws -> GenerationResult {
        let sections = Section.defaults(promptLength: prompt.count, sharerCount: session.sharers.count)
        return try session.generate(Prompt(prompt, sections: sections), maxNewTokens: newTokens + 1)
    }

    /// Text-to-text, if asked for: the sharer writes tokens, which the receiver reads after the prompt. In a chat it would read
    /// the question twice; so this is the least that text-to-text takes.
    private func runText(_ prompt: [Int], _ times: inout Times) throws {
        guard let writer = models.writer, let count = command.writtenTokens else { return }
        let clock = ContinuousClock()
        let start = clock.now
        let written = try generate(writer, prompt, count - 1).tokens
        _ = try generate(models.alone, prompt + written.map { $0 % models.vocabularySize }, 0)
        times.writtenFirst.append((clock.now - start).seconds)
    }

    private func prompt(_ count: Int) -> [Int] {
        var state = UInt64(command.seed)
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % models.vocabularySize
        }
    }

    // MARK: Rows

    private func rows(_ count: Int, _ times: Times) -> [BenchReport.Row] {
        // As llama-bench writes it: decode at a depth, where there are several.
        let depth = promptTokens.count > 1 ? " @ d\(count)" : ""
        func row(_ test: String, _ tokens: Int, _ seconds: [Double]?, _ work: Work) -> BenchReport.Row? {
            guard let seconds, let mean = seconds.mean, mean > 0 else { return nil }
            return BenchReport.Row(test: test, prompt_tokens: count, tokens: tokens, seconds: seconds, work: work)
        }
        let costs = BenchWork(models, prompt: count)
        let decodes = newTokens
        var rows = [row("pp\(count)", count, times.aloneFirst, costs.alone)]
        rows += decodes.map { row("tg\($0)\(depth)", $0, times.aloneDecode[$0], costs.decode($0)) }
        guard let session = models.fused else { return rows.compactMap(\.self) }
        let fused = count - 1
        let sharers = session.sharers.count
        let sharerName = sharers > 1 ? "\(sharers) sharers" : "sharer"
        if times.phases[.jointPrefill]?.contains(where: { $0 > 0 }) ?? false {
            rows += [
                row(
                    "\(sharerName) + receiver pp\(fused)", (sharers + 1) * fused, times.phases[.jointPrefill],
                    costs.sharers + costs.receiverSection),
                row("receiver pp1", 1, times.phases[.receiverPrefill], costs.receiverLast),
            ]
        } else {
            rows += [
                row("\(sharerName) pp\(fused)", sharers * fused, times.phases[.sharerPrefill], costs.sharers),
                row("receiver pp\(count)", count, times.phases[.receiverPrefill], costs.receiver),
            ]
        }
        rows += [
            row("fusion\(fused)", fused, times.phases[.fusion], costs.fusion),
            row("c2c ttft\(count)", count, times.fusedFirst, costs.sharers + costs.receiver + costs.fusion),
        ]
        rows += decodes.map { row("c2c tg\($0)\(depth)", $0, times.fusedDecode[$0], costs.decode($0)) }
        if let written = command.writtenTokens {
            rows.append(row("text ttft\(count)+\(written)", count, times.writtenFirst, costs.text(written)))
        }
        return rows.compactMap(\.self)
    }
}

extension [Double] {
    var mean: Double? { isEmpty ? nil : reduce(0, +) / Double(count) }
}
