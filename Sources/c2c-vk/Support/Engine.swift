import Checkpoints
import Foundation
import Inference
import ModelLoading
import Tokenization

/// The models of a command, opened and checked against each other, and loaded when asked.
struct Engine {
    var mode: Mode
    /// The model that answers: the receiver, or in sharer mode the first sharer.
    var answering: ModelDirectory
    var sharers: [(model: ModelDirectory, fuser: FuserCheckpoint)] = []
    var fusionMode: FusionMode

    /// Opens directories and checks that they fit; reads no weights.
    init(_ options: ModelOptions, mode: Mode) throws {
        self.mode = mode
        let answeringPath = mode == .sharer ? options.sharer.first : options.receiver
        guard let answeringPath else {
            throw UsageError("no model is given; name a checkpoint directory with --receiver DIR")
        }
        answering = try ModelDirectory(answeringPath)
        fusionMode = options.fusion ?? .sequential
        guard mode == .c2c else { return }
        for (sharerPath, fuserPath) in zip(options.sharer, options.fuser) {
            let model = try ModelDirectory(sharerPath)
            let fuser = try FuserCheckpoint(fuserPath)
            try fuser.description.check(
                name: fuserPath, receiver: answering.description, sharer: model.description)
            sharers.append((model, fuser))
        }
        if options.fusion == nil, let trained = sharers.first?.fuser.directory.training?.fusionMode {
            fusionMode = trained == .parallel ? .parallel : .sequential
        }
    }

    /// The longest sequence all models were made for, in tokens.
    var maximumContext: Int {
        ([answering] + sharers.map(\.model)).map(\.description.maximumContext).min() ?? 0
    }

    /// The tokens the caches are to have room for.
    /// - Throws: `UsageError` when the prompt or `--context` exceeds what the models were made for.
    func capacity(promptTokens: Int, newTokens: Int, context: Int?) throws -> Int {
        if let context, context > maximumContext {
            throw UsageError(
                "--context \(context) exceeds the \(maximumContext) tokens that the models were made for")
        }
        let limit = context ?? maximumContext
        guard promptTokens <= limit else {
            throw UsageError(
                "the prompt has \(promptTokens) tokens, \(promptTokens - limit) more than the context of \(limit); "
                    + (context == nil ? "shorten it" : "shorten it or raise --context"))
        }
        // The last token's row is never needed.
        return context ?? min(limit, promptTokens + max(0, newTokens - 1))
    }

    /// Loads the weights and makes the caches.
    /// - Parameter allSharerLayers: also those that no projector reads, so that they can be shown.
    func makeSession(
        on backend: any Backend, capacity: Int, cacheType: ElementType, weightType: ElementType?,
        allSharerLayers: Bool = false
    ) throws -> Session {
        let receiver = try answering.load(
            as: mode == .sharer ? "sharer" : "receiver", extent: .full(answering.description),
            weightType: weightType, on: backend)
        let loaded = try sharers.enumerated().map { index, pair in
            let layers =
                allSharerLayers
                ? pair.model.description.layerCount : pair.fuser.description.sharerLayerCount
            return Sharer(
                decoder: try pair.model.load(
                    as: Self.sharerName(index), extent: .cacheOnly(layerCount: layers), weightType: weightType,
                    on: backend),
                fuser: try pair.fuser.load(as: "fuser\(index)", weightType: weightType, on: backend))
        }
        return try Session(
            on: backend, receiver: receiver, sharers: loaded, fusionMode: fusionMode, capacity: capacity,
            cacheType: cacheType)
    }

    /// `sharer` for the first, `sharer1` for the second, as dumps name them.
    static func sharerName(_ index: Int) -> String {
        index == 0 ? "sharer" : "sharer\(index)"
    }

    /// The tokenizer of the answering model; nil where the directory has none.
    func tokenizer() throws -> Tokenizer? {
        let file = URL(filePath: answering.path).appending(path: "tokenizer.json")
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        return try Tokenizer(tokenizerJSON: file)
    }
}
