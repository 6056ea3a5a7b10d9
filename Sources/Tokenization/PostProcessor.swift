/// What a tokenizer puts around a text when special tokens are asked for (`<|begin_of_text|>` and the like).
struct PostProcessor: Sendable {
    private enum Item: Sendable {
        case special([Int])
        case sequence
    }

    /// Each template takes the result of the one before as its sequence.
    private let templates: [[Item]]

    /// - Throws: `TokenizationError` for an unknown kind, or a template that
    ///   names an unknown token.
    init(_ node: JSONNode?, idLimit: Int) throws {
        templates = try node.map { try Self.templates($0, idLimit) } ?? []
        let count = templates.joined().reduce(0) { if case .special(let ids) = $1 { $0 + ids.count } else { $0 } }
        guard templates.count <= Self.templateLimit, count <= Self.tokenLimit else {
            throw TokenizationError.invalidFile(
                "post_processor adds \(count) tokens in \(templates.count) templates, "
                    + "expected at most \(Self.tokenLimit) in \(Self.templateLimit)")
        }
    }

    /// A token before the text, one after it, or neither.
    init(before: Int?, after: Int?) {
        templates = [(before.map { [.special([$0])] } ?? []) + [.sequence] + (after.map { [.special([$0])] } ?? [])]
    }

    /// Many times what is published. A token's ids may be named again and again, so that a small file could ask for
    /// gigabytes around every text.
    private static let templateLimit = 16
    private static let tokenLimit = 1024

    private static func templates(_ node: JSONNode, _ idLimit: Int) throws -> [[Item]] {
        switch try node.type() {
        case "ByteLevel":
            // It only adjusts the offsets of tokens in the text.
            return []
        case "TemplateProcessing":
            return [try template(node, idLimit)]
        case "RobertaProcessing", "BertProcessing":
            return [
                [
                    .special([try tokenID(node, "cls", idLimit)]), .sequence,
                    .special([try tokenID(node, "sep", idLimit)]),
                ]
            ]
        case "Sequence":
            return try node.member("processors").elements().flatMap { try templates($0, idLimit) }
        default:
            throw try node.unsupportedType(
                supported: "ByteLevel, TemplateProcessing, RobertaProcessing, BertProcessing, Sequence")
        }
    }

    private static func template(_ node: JSONNode, _ idLimit: Int) throws -> [Item] {
        var special: [[UInt8]: [Int]] = [:]
        for (name, token) in try node.member("special_tokens").members() {
            special[Array(name.utf8)] = try token.member("ids").elements().map { try id($0, idLimit) }
        }
        let items = try node.member("single").elements().map { element -> Item in
            if let token = try element.optionalMember("SpecialToken") {
                let name = try token.member("id").string()
                guard let ids = special[Array(name.utf8)] else {
                    throw TokenizationError.invalidFile("\(token.path).id: \(quoted(name)) is not in special_tokens")
                }
                return .special(ids)
            }
            let name = try element.member("Sequence").member("id").string()
            guard name == "A" else {
                throw TokenizationError.invalidFile("\(element.path).Sequence.id is \(quoted(name)), expected \"A\"")
            }
            return .sequence
        }
        guard items.count(where: { if case .sequence = $0 { true } else { false } }) == 1 else {
            throw TokenizationError.invalidFile("\(node.path).single must hold Sequence A once")
        }
        return items
    }

    /// The id in `["<s>", 0]`.
    private static func tokenID(_ node: JSONNode, _ key: String, _ idLimit: Int) throws -> Int {
        let pair = try node.member(key).elements()
        guard pair.count == 2 else { throw TokenizationError.invalidFile("\(node.path).\(key) is no text with its id") }
        return try id(pair[1], idLimit)
    }

    private static func id(_ node: JSONNode, _ idLimit: Int) throws -> Int {
        let id = try node.integer()
        guard (0..<idLimit).contains(id) else {
            throw TokenizationError.invalidFile("\(node.path) is \(id); the tokenizer has ids 0..<\(idLimit)")
        }
        return id
    }

    /// `ids` with the special tokens of all templates.
    func addSpecialTokens(to ids: [Int]) -> [Int] {
        templates.reduce(ids) { ids, template in
            template.flatMap { item in
                switch item {
                case .special(let special): special
                case .sequence: ids
                }
            }
        }
    }
}
