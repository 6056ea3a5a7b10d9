import ArgumentParser
import Inference

/// The flags of how tokens are chosen, the same everywhere. Their values may begin with a dash.
struct SamplingOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Flattens (above 1) or sharpens the choice of tokens; 0 takes the likeliest. Default: 0; in chat what the model's generation_config.json says, as for the four that follow.",
            valueName: "t"))
    var temperature: Float?

    @Option(parsing: .unconditional, help: ArgumentHelp("Draw from the K likeliest tokens only.", valueName: "k"))
    var topK: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Draw from the likeliest tokens of cumulative probability P.", valueName: "p"))
    var topP: Float?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Draw from tokens of at least this share of the likeliest's probability.", valueName: "p"))
    var minP: Float?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Makes seen tokens less likely by a factor; 1 changes nothing.", valueName: "r"))
    var repetitionPenalty: Float?

    @Option(parsing: .unconditional, help: ArgumentHelp("Taken from the logits of seen tokens.", valueName: "p"))
    var presencePenalty: Float = 0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Taken from a token's logit for each time it was seen.", valueName: "f"))
    var frequencyPenalty: Float = 0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Where random numbers begin; the same seed gives the same answer.", valueName: "n"))
    var seed: UInt64 = 0

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("End the answer before this text; repeat for several.", valueName: "text"))
    var stop: [String] = []

    /// What the flags say, and what isn't said as in `defaults`.
    func settings(_ defaults: SamplingSettings = SamplingSettings()) -> SamplingSettings {
        var settings = defaults
        settings.temperature = temperature ?? defaults.temperature
        settings.topK = topK ?? defaults.topK
        settings.topP = topP ?? defaults.topP
        settings.minP = minP ?? defaults.minP
        settings.repetitionPenalty = repetitionPenalty ?? defaults.repetitionPenalty
        settings.presencePenalty = presencePenalty
        settings.frequencyPenalty = frequencyPenalty
        settings.seed = seed
        return settings
    }

    /// What is given and does nothing as tokens aren't drawn; nothing to say to those who ask for that with `--temperature 0`.
    var remarks: [String] {
        guard temperature == nil else { return [] }
        let given = [("--top-k", topK != nil), ("--top-p", topP != nil), ("--min-p", minP != nil)]
        return given.filter(\.1).map { "\($0.0) does nothing without --temperature" }
    }

    func validate() throws {
        // -1 and 0 are other programs' ways to say all.
        if let topK, topK < 1 { throw ValidationError("--top-k is \(topK); give 1 or more, or leave it out") }
    }
}
