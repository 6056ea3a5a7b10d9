import Chat
import Foundation
import Inference
import ModelLoading

/// The models that `bench` measures, found but not loaded.
enum BenchFiles {
    case synthetic(receiver: SyntheticModel, sharers: [SyntheticModel])
    case directories(Engine, isDemo: Bool)

    init(_ command: BenchCommand) throws {
        if let preset = command.synthetic {
            self = .synthetic(
                receiver: try SyntheticModel.preset(preset),
                sharers: try command.syntheticSharer.map(SyntheticModel.preset))
            return
        }
        let models = try command.models.resolved()
        var modes: Set<AnswerMode> = models.sharers.isEmpty ? [.receiver] : [.c2c]
        if command.writtenTokens != nil, !models.sharers.isEmpty { modes.insert(.text) }
        self = .directories(try Engine(models, modes: modes), isDemo: models.demo != nil)
    }

    /// The longest sequence all models were made for, in tokens.
    var context: Int {
        switch self {
        case .synthetic(let receiver, let sharers):
            ([receiver] + sharers).map(\.description.maximumContext).min() ?? 0
        case .directories(let engine, _): engine.maximumContext
        }
    }
}

/// The models that `bench` measures, loaded, and the sessions that they run in.
struct BenchModels {
    /// The receiver's name, then the sharers'.
    private(set) var names: [String]
    /// The receiver without sharers.
    private(set) var alone: Session
    /// The receiver with its sharers.
    private(set) var fused: Session?
    /// The first sharer as one that writes text.
    private(set) var writer: Session?
    /// Of all weights as stored.
    private(set) var weightBytes: Int

    /// - Parameter capacity: tokens that every cache has room for.
    init(_ command: BenchCommand, _ files: BenchFiles, on backend: any Backend, capacity: Int) throws {
        switch files {
        case .synthetic(let receiver, let sharers):
            try self.init(receiver, sharers, command, on: backend, capacity: capacity)
        case .directories(let engine, let isDemo):
            try self.init(engine, command, on: backend, capacity: capacity)
            if isDemo { names = ["the embedded pair"] }
        }
        guard command.writtenTokens == nil || writer != nil else {
            throw UsageError(
                "text-to-text needs a sharer; add --sharer DIR and --fuser DIR, or --synthetic-sharer PRESET")
        }
    }

    /// Bytes of all caches.
    var cacheBytes: Int { [alone, fused, writer].reduce(0) { $0 + ($1?.cacheBytes ?? 0) } }

    /// The smallest vocabulary: ids below it are every model's.
    var vocabularySize: Int {
        ([alone.receiver, writer?.receiver].compactMap(\.self) + (fused?.sharers.map(\.decoder) ?? []))
            .map(\.description.vocabularySize).min() ?? 1
    }

    private init(
        _ receiverModel: SyntheticModel, _ sharerModels: [SyntheticModel], _ command: BenchCommand,
        on backend: any Backend, capacity: Int
    ) throws {
        let cacheType = command.compute.kvDtype.elementType
        let weightType = command.compute.weights.elementType ?? .bf16
        let receiver = try receiverModel.load(
            as: "receiver", extent: .full(receiverModel.description), weightType: weightType, seed: command.seed,
            on: backend)
        func session(_ decoder: Decoder, _ sharers: [Sharer] = []) throws -> Session {
            try Session(
                on: backend, receiver: decoder, sharers: sharers, fusionMode: command.models.fusion ?? .sequential,
                capacity: capacity, cacheType: cacheType, overlapsPrefill: command.overlap)
        }
        names = [receiverModel.name] + sharerModels.map(\.name)
        weightBytes = receiver.weightBytes
        alone = try session(receiver)
        var sharers: [Sharer] = []
        for (index, model) in sharerModels.enumerated() {
            let form = SyntheticFuser.description(
                receiver: receiverModel.description, sharer: model.description, openShare: command.gates ?? 1)
            let read = DecoderExtent.cacheOnly(layerCount: form.sharerLayerCount)
            let writes = command.writtenTokens != nil && index == 0
            let decoder = try model.load(
                as: Engine.sharerName(index), extent: writes ? .full(model.description) : read,
                weightType: weightType, seed: command.seed &+ UInt32(2 * index + 1), on: backend)
            let fuser = try SyntheticFuser.load(
                as: "fuser\(index)", form, weightType: weightType, seed: command.seed &+ UInt32(2 * index + 2),
                on: backend)
            weightBytes += decoder.weightBytes + fuser.weightBytes
            if writes { writer = try session(decoder) }
            sharers.append(Sharer(decoder: try decoder.limited(to: read), fuser: fuser))
        }
        if !sharers.isEmpty { fused = try session(receiver, sharers) }
    }

    private init(_ engine: Engine, _ command: BenchCommand, on backend: any Backend, capacity: Int) throws {
        var options = Responder.Options(command.compute)
        options.context = capacity
        options.overlapsPrefill = command.overlap
        let responder = try engine.load(
            on: backend, weightType: command.compute.weights.elementType, options: options)
        names = engine.models.map { URL(filePath: $0.path).lastPathComponent }
        weightBytes = responder.weightBytes
        alone = try responder.session(for: .receiver, tokens: capacity)
        if engine.modes.contains(.c2c) { fused = try responder.session(for: .c2c, tokens: capacity) }
        if engine.modes.contains(.text) { writer = try responder.session(for: .sharer, tokens: capacity) }
    }
}
