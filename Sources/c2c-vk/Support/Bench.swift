import Chat
import Foundation
import Inference
import ModelLoading

/// Runs of one session, and what they took.
struct Bench {
    private let command: BenchCommand
    private let choice: BackendChoice
    private let names: [String]
    private let alone: Session
    private let fused: Session?

    init(_ command: BenchCommand, _ choice: BackendChoice) throws {
        self.command = command
        self.choice = choice
        let backend = choice.backend
        let cacheType = command.compute.kvDtype.elementType
        let capacity = max(command.compute.context ?? 0, command.promptTokens + command.newTokens)
        if let preset = command.synthetic {
            let weightType = command.compute.weights.elementType ?? .bf16
            let receiverModel = try SyntheticModel.preset(preset)
            let sharerModel = try command.syntheticSharer.map(SyntheticModel.preset)
            let receiver = try receiverModel.load(
                as: "receiver", extent: .full(receiverModel.description), weightType: weightType, seed: command.seed,
                on: backend)
            let sharers =
                try sharerModel.map { model -> [Sharer] in
                    let form = SyntheticFuser.description(
                        receiver: receiverModel.description, sharer: model.description)
                    return [
                        Sharer(
                            decoder: try model.load(
                                as: "sharer", extent: .cacheOnly(layerCount: form.sharerLayerCount),
                                weightType: weightType, seed: command.seed &+ 1, on: backend),
                            fuser: try SyntheticFuser.load(
                                as: "fuser", form, weightType: weightType, seed: command.seed &+ 2, on: backend))
                    ]
                } ?? []
            names = [receiverModel.name] + (sharerModel.map { [$0.name] } ?? [])
            fused =
                sharers.isEmpty
                ? nil
                : try Session(
                    on: backend, receiver: receiver, sharers: sharers, capacity: capacity, cacheType: cacheType)
            alone = try Session(on: backend, receiver: receiver, capacity: capacity, cacheType: cacheType)
        } else {
            let models = try command.models.resolved()
            let mode: AnswerMode = models.sharers.isEmpty ? .receiver : .c2c
            let engine = try Engine(models, modes: [mode])
            var options = Responder.Options(command.compute)
            options.context = capacity
            let responder = try engine.load(
                on: backend, weightType: command.compute.weights.elementType, options: options)
            names = engine.models.map { URL(filePath: $0.path).lastPathComponent }
            fused = mode == .c2c ? try responder.session(for: .c2c, tokens: capacity) : nil
            alone = try responder.session(for: mode == .c2c ? .receiver : mode, tokens: capacity)
        }
    }

    func run() throws -> BenchReport {
        var rows: [BenchReport.Row] = []
        let backend = choice.backend
        let prompt = try prompt()

        let receiverRuns = try measure(alone, prompt)
        rows.append(row("pp\(prompt.count)", tokens: prompt.count, receiverRuns.map(\.timeToFirstToken)))
        if receiverRuns.allSatisfy({ $0.decodedTokens > 0 }) {
            rows.append(
                row(
                    "tg\(receiverRuns[0].decodedTokens)", tokens: receiverRuns[0].decodedTokens,
                    receiverRuns.map(\.decodeSeconds)))
        }
        if let fused {
            var phases: [Phase: [Double]] = [:]
            let runs = try measure(fused, prompt, newTokens: 1) {
                for phase in Phase.allCases { phases[phase, default: []].append(try backend.seconds(in: phase)) }
            }
            let fusedTokens = prompt.count - 1
            rows.append(row("sharer pp\(fusedTokens)", tokens: fusedTokens, phases[.sharerPrefill] ?? []))
            rows.append(row("fusion\(fusedTokens)", tokens: fusedTokens, phases[.fusion] ?? []))
            rows.append(row("c2c ttft\(prompt.count)", tokens: prompt.count, runs.map(\.timeToFirstToken)))
        }
        let session = fused ?? alone
        let weights =
            session.receiver.weightBytes
            + session.sharers.reduce(0) { $0 + $1.decoder.weightBytes + $1.fuser.weightBytes }
        return BenchReport(
            model: names.joined(separator: " + "), device: backend.name, weights_bytes: weights,
            kv_cache_bytes: session.cacheBytes, peak_device_bytes: backend.memory.peak,
            peak_process_bytes: ProcessMemory.peak, rows: rows)
    }

    private func prompt() throws -> [Int] {
        let vocabulary =
            ([alone.receiver] + (fused?.sharers.map(\.decoder) ?? []))
            .map(\.description.vocabularySize).min() ?? 1
        var state = UInt64(command.seed)
        return (0..<command.promptTokens).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % vocabulary
        }
    }

    /// One run to warm up, then the measured ones.
    private func measure(
        _ session: Session, _ prompt: [Int], newTokens: Int? = nil, after: () throws -> Void = {}
    ) throws -> [GenerationResult] {
        let sections = Section.defaults(promptLength: prompt.count, sharerCount: session.sharers.count)
        let count = newTokens ?? command.newTokens + 1
        _ = try session.generate(Prompt(prompt, sections: sections), maxNewTokens: min(count, 2))
        return try (0..<command.repetitions).map { _ in
            try session.backend.resetTimings()
            let result = try session.generate(Prompt(prompt, sections: sections), maxNewTokens: count)
            try after()
            return result
        }
    }

    private func row(_ test: String, tokens: Int, _ seconds: [Double]) -> BenchReport.Row {
        let rates = seconds.map { $0 > 0 ? Double(tokens) / $0 : 0 }
        let mean = rates.reduce(0, +) / Double(max(1, rates.count))
        let variance = rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, rates.count - 1))
        return BenchReport.Row(
            test: test, tokens: tokens, seconds: seconds, tokens_per_s: mean, spread: variance.squareRoot())
    }
}

/// What `bench` prints.
struct BenchReport: Encodable {
    struct Row: Encodable {
        /// As in llama-bench: pp for prefill, tg for decode.
        var test: String
        var tokens: Int
        /// Of each run.
        var seconds: [Double]
        /// Mean over the runs.
        var tokens_per_s: Double
        /// Standard deviation.
        var spread: Double
    }

    var model: String
    var device: String
    var weights_bytes: Int
    var kv_cache_bytes: Int
    var peak_device_bytes: Int
    var peak_process_bytes: Int?
    var rows: [Row]

    var text: String {
        var table = Table(["model", "size", "device", "test", "t/s"], rightAligned: [1, 3, 4])
        for row in rows {
            table.add([
                model, formatBytes(weights_bytes), device, row.test,
                "\(row.tokens_per_s.decimals(2)) ± \(row.spread.decimals(2))",
            ])
        }
        return table.text + "\npeak device memory \(formatBytes(peak_device_bytes))"
            + (peak_process_bytes.map { ", peak process memory \(formatBytes($0))" } ?? "")
    }
}

/// The memory of this process, as Linux counts it.
enum ProcessMemory {
    /// Bytes that were resident at most; nil where the system doesn't tell.
    static var peak: Int? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ", omittingEmptySubsequences: true).dropFirst().first
            .flatMap { Int($0.filter(\.isNumber)) }.map { $0 * 1024 }
    }
}
