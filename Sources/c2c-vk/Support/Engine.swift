import Chat
import Checkpoints
import Foundation
import Inference
import ModelLoading

/// The models of a command, opened and checked against each other, and loaded when asked.
struct Engine {
    struct SharerFiles {
        var model: ModelDirectory
        /// Nil where no fusion is asked for.
        var fuser: FuserCheckpoint?
        var alignment: AlignmentStrategy?
    }

    /// Nil where only the sharer is asked.
    var receiver: ModelDirectory?
    var sharers: [SharerFiles] = []
    var fusionMode: FusionMode
    /// What will be asked of the models; it decides which weights are loaded.
    let modes: Set<AnswerMode>

    /// Opens directories and checks that they fit; reads no weights.
    init(_ options: ModelOptions, modes: Set<AnswerMode>) throws {
        self.modes = modes
        let cache = HubCache()
        if modes != [.sharer] {
            guard let name = options.receiver else {
                throw UsageError("no model is given; name a checkpoint directory with --receiver DIR")
            }
            receiver = try ModelDirectory(cache.resolve(name))
        }
        fusionMode = options.fusion ?? .sequential
        guard modes != [.receiver] else { return }
        for (index, name) in options.sharer.enumerated() {
            var files = SharerFiles(model: try ModelDirectory(cache.resolve(name)))
            if modes.contains(.c2c), index < options.fuser.count, let receiver {
                let path = try cache.resolve(options.fuser[index])
                let fuser = try FuserCheckpoint(path)
                try fuser.description.check(
                    name: path, receiver: receiver.description, sharer: files.model.description)
                files.fuser = fuser
                files.alignment = Self.alignment(options.align, fuser)
            }
            sharers.append(files)
            // Other modes read the first sharer only.
            if !modes.contains(.c2c) { break }
        }
        if options.fusion == nil, let trained = sharers.first?.fuser?.directory.training?.fusionMode {
            fusionMode = trained == .parallel ? .parallel : .sequential
        }
    }

    private static func alignment(_ choice: Alignment, _ fuser: FuserCheckpoint) -> AlignmentStrategy? {
        switch choice {
        case .none: return nil
        case .first: return .first
        case .longest: return .longest
        case .auto:
            guard let training = fuser.directory.training, training.isAligned else { return nil }
            return training.alignmentStrategy ?? .first
        }
    }

    /// The models in use.
    var models: [ModelDirectory] { (receiver.map { [$0] } ?? []) + sharers.map(\.model) }

    /// The longest sequence all models were made for, in tokens.
    var maximumContext: Int { models.map(\.description.maximumContext).min() ?? 0 }

    /// - Throws: `UsageError` when `--context` exceeds what the models were made for.
    func check(context: Int?) throws {
        if let context, context > maximumContext {
            throw UsageError(
                "--context \(context) exceeds the \(maximumContext) tokens that the models were made for")
        }
    }

    /// Loads the weights.
    ///
    /// - Parameters:
    ///   - options: the fusion mode in it is replaced by the models'.
    ///   - allSharerLayers: also those that no projector reads, so that they can be shown.
    func load(
        on backend: any Backend, weightType: ElementType?, options: Responder.Options, allSharerLayers: Bool = false
    ) throws -> Responder {
        try check(context: options.context)
        let extents = sharers.enumerated().map { index, files -> DecoderExtent in
            let isAsked = index == 0 && !modes.isDisjoint(with: [.sharer, .text])
            if isAsked { return .full(files.model.description) }
            let read = files.fuser?.description.sharerLayerCount ?? 0
            return .cacheOnly(layerCount: allSharerLayers ? files.model.description.layerCount : read)
        }
        let total =
            try (receiver.map { try $0.byteCount(.full($0.description)) } ?? 0)
            + zip(sharers, extents).reduce(0) { sum, pair in
                try sum + pair.0.model.byteCount(pair.1) + (pair.0.fuser?.byteCount() ?? 0)
            }
        let progress = ProgressBar("loading", total: total)
        defer { progress.finish() }

        let loadedReceiver = try receiver.map { model in
            ChatModel(
                decoder: try model.load(
                    as: "receiver", extent: .full(model.description), weightType: weightType, on: backend,
                    onBytes: progress.add),
                text: try Self.text(model), endTokens: model.endTokens)
        }
        let loadedSharers = try zip(sharers, extents).enumerated().map { index, pair in
            let (files, extent) = pair
            let decoder = try files.model.load(
                as: Self.sharerName(index), extent: extent, weightType: weightType, on: backend, onBytes: progress.add)
            return ChatSharer(
                model: ChatModel(
                    decoder: decoder, text: try Self.text(files.model), endTokens: files.model.endTokens),
                fuser: try files.fuser?.load(
                    as: "fuser\(index)", weightType: weightType, on: backend, onBytes: progress.add),
                alignment: files.alignment)
        }
        var options = options
        options.fusionMode = fusionMode
        return Responder(on: backend, receiver: loadedReceiver, sharers: loadedSharers, options: options)
    }

    private static func text(_ model: ModelDirectory) throws -> ModelText? {
        try ModelText(directory: URL(filePath: model.path))
    }

    /// `sharer` for the first, `sharer1` for the second, as dumps name them.
    static func sharerName(_ index: Int) -> String {
        index == 0 ? "sharer" : "sharer\(index)"
    }
}

extension Responder.Options {
    init(_ options: ComputeOptions) {
        self.init()
        cacheType = options.kvDtype.elementType
        context = options.context
    }
}
