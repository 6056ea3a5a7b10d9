import Checkpoints
import Foundation
import Inference

/// A Hugging Face checkpoint directory, opened but not loaded.
public struct ModelDirectory: Sendable {
    public let path: String
    public let config: ConfigObject
    public let description: DecoderDescription
    public let store: TensorStore
    /// Ids that end an answer: those of `generation_config.json`, else of `config.json`.
    public let endTokens: Set<Int>

    /// - Throws: `CheckpointError` for files that are missing or damaged, `LoadingError` for a model that isn't
    ///   supported.
    public init(_ path: String) throws {
        try DirectoryKind.requireModel(path)
        self.path = path
        config = try ConfigFile(URL(filePath: path).appending(path: "config.json").path).root
        var description = try DecoderFamily.describe(config)
        store = try TensorStore(path)
        try Quantization.refuse(store)
        if description.tiesEmbeddings { description.tiesEmbeddings = try !store.hasHeadOfItsOwn() }
        self.description = description
        let generationPath = URL(filePath: path).appending(path: "generation_config.json").path
        let generationEnds =
            FileManager.default.fileExists(atPath: generationPath)
            ? try ConfigFile(generationPath).root.optionalIntegers("eos_token_id", in: DecoderFamily.endTokenIDs) : nil
        endTokens = Set(try generationEnds ?? DecoderFamily.endTokens(config))
    }
}
