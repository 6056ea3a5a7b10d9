/// What a fuser's `config.json` says about how it was trained, as far as running it depends on it.
public struct FuserTraining: Sendable {
    /// Which sharer token stands for a receiver token that the sharer's tokenizer splits.
    public enum AlignmentStrategy: String, Sendable, CaseIterable {
        case first
        case longest
    }

    /// How several sharers combine.
    public enum FusionMode: String, Sendable, CaseIterable {
        case sequential
        case parallel
    }

    /// Path or repository of the receiver.
    public let baseModel: String?
    /// Path or repository of the sharer.
    public let teacherModel: String?
    /// Whether receiver and sharer were given tokens of their own tokenizers, aligned.
    public let isAligned: Bool
    public let alignmentStrategy: AlignmentStrategy?
    /// Name of the rule that made the layer mapping, as `last_aligned`.
    public let mappingName: String?
    public let fusionMode: FusionMode?
    /// The whole `model` object.
    public let model: ConfigObject

    init(_ path: String) throws {
        model = try ConfigFile(path).root.object("model")
        baseModel = try model.optionalString("base_model")
        teacherModel = try model.optionalString("teacher_model")
        isAligned = try model.bool("is_do_alignment", default: false)
        alignmentStrategy = try model.choice("alignment_strategy")
        mappingName = try model.optionalString("mapping")
        fusionMode = try model.choice("multi_source_fusion_mode")
    }
}

extension ConfigObject {
    /// A field whose text is one of an enumeration's raw values; nil if it is absent.
    fileprivate func choice<Choice: RawRepresentable<String> & CaseIterable>(_ key: String) throws -> Choice? {
        guard let text = try optionalString(key) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            throw invalid(key, expected: "one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return choice
    }
}
