import Checkpoints
import Foundation
import Inference

/// How the makers of a model would have its tokens chosen: `generation_config.json`, taken as transformers takes it.
///
/// `do_sample` says whether tokens are drawn at all; without it the likeliest is taken, whatever the temperature. Where tokens
/// are drawn, what isn't said is transformers' own: a temperature of 1, and of all tokens the 50 likeliest.
/// <https://huggingface.co/docs/transformers/main_classes/text_generation>
public struct SamplingDefaults: Sendable {
    public private(set) var settings = SamplingSettings()
    /// The file; nil where the checkpoint has none.
    public private(set) var file: String?
    /// Fields that were left out of account, a line each: an odd value is no reason not to talk.
    public private(set) var warnings: [String] = []

    /// - Parameter directory: of the checkpoint.
    /// - Throws: `CheckpointError` for a file that is no JSON object.
    public init(directory: String) throws {
        let path = URL(filePath: directory).appending(path: "generation_config.json").path
        guard FileManager.default.fileExists(atPath: path) else { return }
        file = path
        let config = try ConfigFile(path).root
        let samples = value { try config.optionalBool("do_sample") } ?? false
        if samples {
            settings.temperature =
                value { try config.optionalDouble("temperature", in: 0...100) }.map { Float($0) } ?? 1
        }
        // 0, a null and, to vLLM, -1 say that there is no limit.
        let mostTokens = 1 << 30
        if let limit = value({ try config.optionalInt("top_k", in: -1...mostTokens) }) {
            settings.topK = limit < 1 ? nil : limit
        } else if samples, config.contains("top_k") || !config.keys.contains("top_k") {
            settings.topK = 50
        }
        // A share that rounds to zero leaves nothing.
        let leastShare = Double(Float.leastNormalMagnitude)
        settings.topP = value { try config.optionalDouble("top_p", in: leastShare...1) }.map { Float($0) } ?? 1
        settings.minP = value { try config.optionalDouble("min_p", in: 0...1) }.map { Float($0) } ?? 0
        // It holds where the likeliest token is taken, too.
        settings.repetitionPenalty =
            value { try config.optionalDouble("repetition_penalty", in: 0.01...100) }.map { Float($0) } ?? 1
        warnOfWhatIsNotDone(config)
    }

    /// Other fields that would change which tokens are chosen, with the values that change nothing.
    private static let unknown: [(name: String, neutral: Double)] = [
        ("num_beams", 1), ("typical_p", 1), ("epsilon_cutoff", 0), ("eta_cutoff", 0), ("no_repeat_ngram_size", 0),
    ]

    private mutating func warnOfWhatIsNotDone(_ config: ConfigObject) {
        for (name, neutral) in Self.unknown where config.contains(name) {
            let value = try? config.optionalDouble(name, in: neutral...neutral)
            if value == nil { warnings.append("\(config.file): \(name) is not done here; it is left out of account") }
        }
    }

    /// A field's value, or nil and a warning.
    private mutating func value<Value>(_ read: () throws -> Value?) -> Value? {
        do {
            return try read()
        } catch {
            warnings.append("\(error); it is left out of account")
            return nil
        }
    }
}
