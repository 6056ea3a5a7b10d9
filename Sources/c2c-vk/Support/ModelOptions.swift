import ArgumentParser
import Chat
import Checkpoints
import DemoPair
import Inference

extension AnswerMode: ExpressibleByArgument {}
extension FusionMode: ExpressibleByArgument {}

/// The types a KV-cache can have.
enum CacheType: String, ExpressibleByArgument, CaseIterable {
    case f32, f16, bf16, q8_0

    var elementType: ElementType {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        case .q8_0: .q8_0
        }
    }
}

/// The types weights can be stored in; `auto` keeps the checkpoint's.
enum WeightType: String, ExpressibleByArgument, CaseIterable {
    case auto, f32, f16, bf16, q8_0, q4_0

    var elementType: ElementType? {
        switch self {
        case .auto: nil
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        case .q8_0: .q8_0
        case .q4_0: .q4_0
        }
    }
}

/// How the tokens of a sharer with another tokenizer are found.
enum Alignment: String, ExpressibleByArgument, CaseIterable {
    case auto, none, first, longest
}

/// The device flag, the same everywhere.
struct DeviceOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Vulkan device by its index in `c2c-vk devices`, or cpu for the reference backend. Default: the environment's C2C_VK_DEVICE, else the first discrete GPU, integrated GPU or CPU driver.",
            valueName: "N|cpu"))
    var device: String?
}

/// The flags of numbers and memory, the same everywhere.
struct ComputeOptions: ParsableArguments {
    @OptionGroup var device: DeviceOptions

    @Option(help: "Element type of the KV-caches: f32, f16, bf16 or q8_0 (8-bit integers with a scale for 32 columns).")
    var kvDtype: CacheType = .f16

    @Option(
        help:
            "Element type of the weights: auto (as in the checkpoint), f32, f16, bf16, or quantized at load: q8_0 (8.5 bits a weight) or q4_0 (4.5 bits)."
    )
    var weights: WeightType = .auto

    @Option(
        parsing: .unconditional,
        help: "Tokens the KV-caches have room for. Default: what the prompt and the answer need.")
    var context: Int?

    func validate() throws {
        if let context, context < 1 {
            throw ValidationError("--context is \(context); it must be at least 1")
        }
    }
}

/// The flags that name models and say how sharers combine, the same everywhere.
struct PairOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The model that answers: a directory, or ORG/REPO (or its web address) in the local Hugging Face cache. Without any model, an embedded trained pair answers.",
            valueName: "dir"), completion: .directory)
    var receiver: String?

    @Option(
        help: ArgumentHelp("A model whose KV-cache is read; repeat for several.", valueName: "dir"),
        completion: .directory)
    var sharer: [String] = []

    @Option(
        help: ArgumentHelp("The fuser for the sharer at the same place.", valueName: "dir"), completion: .directory)
    var fuser: [String] = []

    @Option(help: "How several sharers combine: sequential or parallel. Default: what the first fuser says.")
    var fusion: FusionMode?

    func validate() throws {
        guard sharer.count <= 16 else {
            throw ValidationError("there are \(sharer.count) sharers; at most 16 are possible")
        }
        guard namesModels || fuser.isEmpty else {
            throw ValidationError("--fuser goes with --receiver and --sharer")
        }
        guard fuser.count <= sharer.count else { throw unequalCounts }
        if fusion != nil, !hasSharer {
            throw ValidationError("--fusion combines sharers, and none is given; add --sharer DIR, or leave it out")
        }
    }

    /// Whether there is a sharer, named or embedded.
    var hasSharer: Bool { !namesModels || !sharer.isEmpty }

    /// Whether any model is named; if none is, the demo pair answers.
    var namesModels: Bool { receiver != nil || !sharer.isEmpty }

    /// What is done with these models unless something else is asked for.
    var defaultMode: AnswerMode { namesModels && sharer.isEmpty ? .receiver : .c2c }

    /// - Throws: `ValidationError` where a model is missing that a mode needs.
    func check(for mode: AnswerMode) throws {
        guard namesModels else { return }
        guard receiver != nil || mode == .sharer else {
            throw ValidationError("no model is given that answers; name a checkpoint directory with --receiver DIR")
        }
        if mode != .receiver, sharer.isEmpty {
            throw ValidationError("--mode \(mode.rawValue) needs a sharer; add --sharer DIR")
        }
        if mode == .c2c, sharer.count != fuser.count { throw unequalCounts }
    }

    private var unequalCounts: ValidationError {
        ValidationError(
            "there are \(sharer.count) --sharer and \(fuser.count) --fuser; give one fuser for each sharer")
    }

    /// The directories that the flags stand for.
    /// - Throws: `CheckpointError` for a name that can't be found, with the way to get it.
    func resolved(align: Alignment = .auto) throws -> ResolvedModels {
        guard namesModels else {
            let demo = try DemoPair(cache: UserCache.directory)
            return ResolvedModels(
                receiver: demo.receiver.path, sharers: [demo.sharer.path], fusers: [demo.fuser.path], fusion: fusion,
                align: align, demo: demo)
        }
        let cache = HubCache()
        return ResolvedModels(
            receiver: try receiver.map(cache.resolve), sharers: try sharer.map(cache.resolve),
            fusers: try fuser.map(cache.resolve), fusion: fusion, align: align)
    }
}

/// The flag for pairs with different tokenizers.
struct AlignmentOptions: ParsableArguments {
    @Option(
        help:
            "How the tokens of a sharer with another tokenizer are found: auto (as its fuser was trained), none, first or longest. Default: auto."
    )
    var align: Alignment?

    var strategy: Alignment { align ?? .auto }

    /// - Throws: `ValidationError` where there is no second tokenizer.
    func check(for pair: PairOptions) throws {
        if align != nil, pair.namesModels, pair.sharer.isEmpty {
            throw ValidationError(
                "--align is about a sharer's tokens, and none is given; add --sharer DIR, or leave it out")
        }
    }
}

/// The flags of one way to answer: the models, and which of them take part.
struct ModelOptions: ParsableArguments {
    @OptionGroup var pair: PairOptions
    @OptionGroup var alignment: AlignmentOptions

    @Option(help: "Who answers: c2c, receiver, sharer or text. Default: c2c with a sharer, else receiver.")
    var mode: AnswerMode?

    func validate() throws {
        try pair.check(for: resolvedMode)
        try alignment.check(for: pair)
    }

    var resolvedMode: AnswerMode { mode ?? pair.defaultMode }

    /// The directories that the flags stand for.
    /// - Throws: `CheckpointError` for a name that can't be found, with the way to get it.
    func resolved() throws -> ResolvedModels {
        try pair.resolved(align: alignment.strategy)
    }
}

/// The directories of the models in use.
struct ResolvedModels {
    var receiver: String?
    var sharers: [String] = []
    var fusers: [String] = []
    var fusion: FusionMode?
    var align = Alignment.auto
    /// The embedded pair, where no model was named.
    var demo: DemoPair?

    /// What can be asked of them.
    var possibleModes: Set<AnswerMode> {
        var modes: Set<AnswerMode> = []
        if receiver != nil { modes.insert(.receiver) }
        if !sharers.isEmpty { modes.insert(.sharer) }
        if receiver != nil, !sharers.isEmpty {
            modes.insert(.text)
            if fusers.count == sharers.count { modes.insert(.c2c) }
        }
        return modes
    }
}
