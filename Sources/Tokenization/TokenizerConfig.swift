import Foundation

/// What a model's makers say of its tokens outside of tokenizer.json: in tokenizer_config.json, special_tokens_map.json and
/// added_tokens.json, read as transformers 5 reads them.
///
/// `added_tokens_decoder` of tokenizer_config.json is the newest way. Where it is, the two older files don't count; where it isn't,
/// special_tokens_map.json goes before tokenizer_config.json.
public struct TokenizerConfig: Sendable {
    /// The roles that every tokenizer may have a token for, in the order in which these get their ids.
    private static let roles = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    /// Tokens with a role, by its name: the seven, and such as a model has besides (`image_token`).
    private(set) var named: [(role: String, token: AddedToken)] = []
    /// Special tokens without a role.
    private(set) var additional: [AddedToken] = []
    /// `tokenizer_class`; nil where it isn't said.
    private let className: String?
    /// Special tokens in a text are text (`split_special_tokens`).
    let splitsSpecialTokens: Bool
    /// Whether a text gets the token of its beginning (end), where no tokenizer.json says what it gets.
    let addsBeginning: Bool
    let addsEnd: Bool
    /// A space in front of a text; where no tokenizer.json says so.
    let addsPrefixSpace: Bool
    /// `added_tokens_decoder`, by id, or what added_tokens.json has in its place.
    private(set) var declared: [Int: AddedToken] = [:]
    /// Whether tokenizer_config.json has it.
    let hasDecoder: Bool
    /// `model_type` of config.json; nil where it isn't said.
    private let modelType: String?

    /// Largest of these files that is read, in bytes.
    private static let sizeLimit = 16 << 20

    /// Reads what a checkpoint directory has of the three files; all are optional.
    ///
    /// - Throws: `TokenizationError`, with the file's name.
    public init(directory: URL) throws {
        let modelType = try Self.read("config.json", in: directory)?.optionalMember("model_type")?.string()
        let config = try Self.read("tokenizer_config.json", in: directory)
        self = try TokenizationError.naming(directory.appending(path: "tokenizer_config.json").path) {
            try TokenizerConfig(config ?? JSONNode(value: .object(JSONMembers()), path: ""), modelType)
        }
        guard !hasDecoder else { return }
        if let map = try Self.read("special_tokens_map.json", in: directory) {
            try TokenizationError.naming(directory.appending(path: "special_tokens_map.json").path) {
                try read(roles: map, isMap: true)
            }
        }
        try readAddedTokens(in: directory)
    }

    private init(_ config: JSONNode, _ modelType: String?) throws {
        self.modelType = modelType
        className = try config.optionalMember("tokenizer_class")?.string()
        func flag(_ key: String) throws -> Bool { try config.optionalMember(key)?.bool() ?? false }
        splitsSpecialTokens = try flag("split_special_tokens")
        addsBeginning = try flag("add_bos_token")
        addsEnd = try flag("add_eos_token")
        addsPrefixSpace = try flag("add_prefix_space")
        let decoder = try config.optionalMember("added_tokens_decoder")
        hasDecoder = decoder != nil
        for (role, text) in style?.defaults ?? [:] { name(role, AddedToken(special: Array(text.utf8))) }
        try read(roles: config, isMap: false)
        for (key, node) in try decoder?.members() ?? [] {
            guard let id = Int(key), (0..<Vocabulary.idLimit).contains(id) else {
                throw TokenizationError.invalidFile(
                    "added_tokens_decoder: \(quoted(key)) is no id, expected 0..<\(Vocabulary.idLimit)")
            }
            declared[id] = try AddedToken(settings: node, isSpecial: false)
        }
    }

    /// The class whose own program makes the tokenizer, whatever tokenizer.json says of the tokens; nil for all others.
    var style: VocabularyFiles.Style? {
        // Checkpoints of Qwen2 name all sorts of classes.
        if modelType == "qwen2" { return .qwen2 }
        guard let className else { return familyStyle }
        return VocabularyFiles.Style(rawValue: className.hasSuffix("Fast") ? String(className.dropLast(4)) : className)
    }

    /// The class of the model's family.
    var familyStyle: VocabularyFiles.Style? {
        switch modelType {
        case "gpt2": .gpt2
        case .some(let type) where type.hasPrefix("qwen2") || type.hasPrefix("qwen3"): .qwen2
        default: nil
        }
    }

    /// The texts of the tokens with a role.
    public var roleTexts: [String: String] {
        Dictionary(named.map { ($0.role, $0.token.text) }, uniquingKeysWith: { first, _ in first })
    }

    /// The texts of the special tokens without a role.
    public var additionalTexts: [String] { additional.map(\.text) }

    /// Reads roles and additional tokens, replacing those known.
    private mutating func read(roles node: JSONNode, isMap: Bool) throws {
        for (key, value) in try node.members() {
            let isRole = Self.roles.contains(key)
            guard isRole || key.hasSuffix("_token") else { continue }
            switch value.value {
            case .null: named.removeAll { $0.role == key }
            // `add_bos_token` and its like.
            case .bool where !isRole: continue
            case .object where !isRole && !isMap: continue
            default: name(key, try AddedToken(settings: value, isSpecial: true))
            }
        }
        // The newer name goes first; as an object it gives tokens a role.
        let lists = try ["extra_special_tokens", "additional_special_tokens"].compactMap(node.optionalMember)
        for list in lists {
            if case .object = list.value {
                for (role, value) in try list.members() { name(role, try AddedToken(settings: value, isSpecial: true)) }
            } else if additional.isEmpty || isMap {
                let tokens = try list.elements().map { try AddedToken(settings: $0, isSpecial: true) }
                if !tokens.isEmpty { additional = tokens }
            }
        }
    }

    private mutating func name(_ role: String, _ token: AddedToken) {
        if let index = named.firstIndex(where: { $0.role == role }) {
            named[index].token = token
            return
        }
        // The seven before the others.
        let place = Self.roles.firstIndex(of: role) ?? Self.roles.count
        let index = named.firstIndex { (Self.roles.firstIndex(of: $0.role) ?? Self.roles.count) > place }
        named.insert((role, token), at: index ?? named.count)
    }

    /// added_tokens.json: `{"text": id}`. Those with a role are special.
    private mutating func readAddedTokens(in directory: URL) throws {
        let file = directory.appending(path: "added_tokens.json")
        guard FileManager.default.fileExists(atPath: file.path) else { return }
        let special = Set((named.map(\.token) + additional).map(\.content))
        try TokenizationError.naming(file.path) {
            var scanner = try JSONScanner(TokenizerFile.read(file, limit: Self.sizeLimit))
            // By bytes: as text, two keys that differ in their composition alone would be one.
            try scanner.members { scanner, content in
                let id = try scanner.integer()
                guard (0..<Vocabulary.idLimit).contains(id) else {
                    throw scanner.failure("id \(id), expected 0..<\(Vocabulary.idLimit)")
                }
                var token = AddedToken(special: content)
                token.isSpecial = special.contains(content)
                token.isNormalized = !token.isSpecial
                declared[id] = token
            }
            try scanner.finish()
        }
    }

    private static func read(_ name: String, in directory: URL) throws -> JSONNode? {
        let file = directory.appending(path: name)
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        return try TokenizationError.naming(file.path) {
            var scanner = try JSONScanner(TokenizerFile.read(file, limit: sizeLimit))
            let value = try scanner.value()
            try scanner.finish()
            guard case .object = value else { throw TokenizationError.invalidFile("is JSON, but not an object") }
            return JSONNode(value: value, path: "")
        }
    }
}
