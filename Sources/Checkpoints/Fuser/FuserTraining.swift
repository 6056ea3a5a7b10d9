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
    /// What it was trained on and how, as far as the file says.
    public let history: History

    /// For people: nothing of it changes how a fuser is run, so what can't be read is left out.
    public struct History: Sendable, Equatable, Encodable {
        public let dataset: String?
        public let samples: Int?
        public let epochs: Double?
        public let steps: Int?
        public let learningRate: Double?
        public let maximumLength: Int?

        enum CodingKeys: String, CodingKey {
            case dataset, samples, epochs, steps
            case learningRate = "learning_rate"
            case maximumLength = "max_length"
        }

        init(_ root: ConfigObject) {
            let data = try? root.optionalObject("data")
            let arguments = try? data?.optionalObject("kwargs")
            let training = try? root.optionalObject("training")
            let counts = 0...(1 << 53)
            dataset = (try? data?.optionalString("type")).flatMap { $0.count <= 200 ? $0 : nil }
            samples = try? arguments?.optionalInt("num_samples", in: counts)
            epochs = try? training?.optionalDouble("num_epochs", in: 0...1e9)
            steps = try? training?.optionalInt("steps", in: counts)
            learningRate = try? training?.optionalDouble("learning_rate", in: 0...1e9)
            maximumLength = try? training?.optionalInt("max_length", in: counts)
        }
    }

    init(_ path: String) throws {
        let root = try ConfigFile(path).root
        history = History(root)
        model = try root.object("model")
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
