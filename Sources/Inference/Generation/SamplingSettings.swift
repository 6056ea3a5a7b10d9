/// How the next token is chosen.
public struct SamplingSettings: Sendable, Hashable {
    /// Up to 1e-5: the likeliest token, always.
    public var temperature: Float = 0
    /// Nil for no limit.
    public var topK: Int?
    public var topP: Float = 1
    public var minP: Float = 0
    public var repetitionPenalty: Float = 1
    public var presencePenalty: Float = 0
    public var frequencyPenalty: Float = 0
    /// With the same seed, prompt and settings, a device gives the same answer.
    public var seed: UInt64 = 0

    public init() {}

    /// Whether no chance is involved.
    public var isGreedy: Bool { temperature <= 1e-5 }

    /// They also apply where no chance is involved.
    var hasPenalties: Bool { repetitionPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0 }

    /// Without what can differ between runs of one plan.
    var withoutSeed: SamplingSettings {
        var settings = self
        settings.seed = 0
        return settings
    }

    /// - Throws: `InferenceError.badRequest` for values that leave nothing to choose from.
    public func check() throws {
        func require(_ condition: Bool, _ text: String) throws {
            if !condition { throw InferenceError.badRequest(text) }
        }
        try require(temperature >= 0 && temperature.isFinite, "the temperature is \(temperature); give 0 or more")
        try require(topK ?? 1 > 0, "top-k is \(topK ?? 0); give 1 or more, or leave it out")
        try require(topP > 0 && topP <= 1, "top-p is \(topP); give more than 0 and at most 1")
        try require(minP >= 0 && minP <= 1, "min-p is \(minP); give 0 to 1")
        try require(
            repetitionPenalty > 0 && repetitionPenalty.isFinite,
            "the repetition penalty is \(repetitionPenalty); give more than 0 (1 changes nothing)")
        try require(
            presencePenalty.isFinite && frequencyPenalty.isFinite, "a penalty is no number; give one such as 0.5")
    }
}
