import Chat
import Checkpoints
import Evaluation
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
    /// Whether alignment was asked for against what the fuser was trained with.
    private var isAlignmentForced = false
    private let warnings = Warnings()
    /// What will be asked of the models; it decides which weights are loaded.
    let modes: Set<AnswerMode>

    /// Opens directories and checks that they fit; reads no weights.
    init(_ models: ResolvedModels, modes: Set<AnswerMode>) throws {
        self.modes = modes
        if modes != [.sharer] {
            guard let path = models.receiver else { throw ChatError.noReceiver }
            receiver = try ModelDirectory(path)
        }
        fusionMode = models.fusion ?? .sequential
        guard modes != [.receiver] else { return }
        for (index, path) in models.sharers.enumerated() {
            var files = SharerFiles(model: try ModelDirectory(path))
            if modes.contains(.c2c), index < models.fusers.count, let receiver {
                let fuser = try FuserCheckpoint(models.fusers[index])
                try fuser.description.check(
                    name: models.fusers[index], receiver: receiver.description, sharer: files.model.description)
                files.fuser = fuser
                files.alignment = Self.alignment(models.align, fuser)
                if files.alignment != nil, Self.alignment(.auto, fuser) == nil { isAlignmentForced = true }
            }
            sharers.append(files)
            // Other modes read the first sharer only.
            if !modes.contains(.c2c) { break }
        }
        if models.fusion == nil, let trained = sharers.first?.fuser?.directory.training?.fusionMode {
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

    /// The gates of all fusers, by sharer and receiver layer.
    var gates: [[LayerGates]] {
        sharers.compactMap(\.fuser).map { fuser in
            fuser.directory.mapping.sorted { $0.key < $1.key }.map { layer, source in
                LayerGates(
                    receiver_layer: layer, sharer_layer: source.sharerLayer,
                    key: fuser.gateLogits[layer]?[.key] ?? 0, value: fuser.gateLogits[layer]?[.value] ?? 0)
            }
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
        for model in models { try KVCache.check(options.cacheType, for: model.description, name: model.path) }
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
        let progress = ProgressBar("loading", total: total, of: .bytes)
        defer { progress.finish() }
        let onBytes = { (bytes: Int) in progress.add(bytes) }

        let loadedReceiver = try receiver.map { model in
            ChatModel(
                decoder: try model.load(
                    as: "receiver", extent: .full(model.description), weightType: weightType, on: backend,
                    onBytes: onBytes),
                text: try Self.text(model), endTokens: model.endTokens)
        }
        let loadedSharers = try zip(sharers, extents).enumerated().map { index, pair in
            let (files, extent) = pair
            let decoder = try files.model.load(
                as: Self.sharerName(index), extent: extent, weightType: weightType, on: backend, onBytes: onBytes)
            return ChatSharer(
                model: ChatModel(
                    decoder: decoder, text: try Self.text(files.model), endTokens: files.model.endTokens),
                fuser: try files.fuser?.load(
                    as: "fuser\(index)", weightType: weightType, on: backend, onBytes: onBytes),
                alignment: files.alignment)
        }
        var options = options
        options.fusionMode = fusionMode
        let responder = Responder(on: backend, receiver: loadedReceiver, sharers: loadedSharers, options: options)
        responder.onUnfused = warnings.say
        warnOfNeedlessAlignment(responder)
        return responder
    }

    /// Alignment fuses the messages only, not the template around them, and fusers of one tokenizer were trained with both.
    private func warnOfNeedlessAlignment(_ responder: Responder) {
        guard isAlignmentForced, let receiver = responder.receiver?.text?.tokenizer else { return }
        for sharer in responder.sharers where sharer.alignment != nil {
            guard sharer.model.text?.tokenizer.sharesVocabulary(with: receiver) == true else { continue }
            warnings.say(
                "receiver and sharer have the same tokenizer, where --align costs answers: it fuses the messages only, not the "
                    + "template around them; leave it out")
        }
    }

    private static func text(_ model: ModelDirectory) throws -> ModelText? {
        try ModelText(directory: URL(filePath: model.path))
    }

    /// `sharer` for the first, `sharer1` for the second, as dumps name them.
    static func sharerName(_ index: Int) -> String {
        index == 0 ? "sharer" : "sharer\(index)"
    }
}

/// What is said once, however often models are loaded.
private final class Warnings {
    private var said: Set<String> = []

    func say(_ text: String) {
        if said.insert(text).inserted { Output.remark("warning: \(text)") }
    }
}

extension Responder.Options {
    init(_ options: ComputeOptions) {
        self.init()
        cacheType = options.kvDtype.elementType
        context = options.context
    }
}
