import ArgumentParser
import Inference

/// The flags of how tokens are chosen, the same everywhere. Their values may begin with a dash.
struct SamplingOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Flattens (above 1) or sharpens the choice of tokens; 0 takes the likeliest.", valueName: "t"))
    var temperature: Float = 0

    @Option(parsing: .unconditional, help: ArgumentHelp("Draw from the K likeliest tokens only.", valueName: "k"))
    var topK: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Draw from the likeliest tokens of cumulative probability P.", valueName: "p"))
    var topP: Float = 1

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Draw from tokens of at least this share of the likeliest's probability.", valueName: "p"))
    var minP: Float = 0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Makes seen tokens less likely by a factor; 1 changes nothing.", valueName: "r"))
    var repetitionPenalty: Float = 1

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

    var settings: SamplingSettings {
        var settings = SamplingSettings()
        settings.temperature = temperature
        settings.topK = topK
        settings.topP = topP
        settings.minP = minP
        settings.repetitionPenalty = repetitionPenalty
        settings.presencePenalty = presencePenalty
        settings.frequencyPenalty = frequencyPenalty
        settings.seed = seed
        return settings
    }

    func validate() throws {
        // -1 and 0 are other programs' ways to say all.
        if let topK, topK < 1 { throw ValidationError("--top-k is \(topK); give 1 or more, or leave it out") }
    }
}
