import Foundation

/// The content of a tokenizer.json: the model read into tables, the other parts as JSON.
struct TokenizerFile {
    var addedTokens: [AddedToken] = []
    var normalizer: JSONNode?
    var preTokenizer: JSONNode?
    var postProcessor: JSONNode?
    var decoder: JSONNode?
    let model: BPEModel

    /// Several times the largest published, in bytes.
    static let sizeLimit = 128 << 20

    /// - Throws: `TokenizationError.unreadableFile` or `.fileTooLarge`.
    static func read(_ url: URL) throws -> [UInt8] {
        let path = url.path
        do {
            // A pipe or a device would be read for ever; the Hugging Face cache is made of links.
            let target = url.resolvingSymlinksInPath()
            guard try target.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else {
                throw TokenizationError.unreadableFile(path: path, reason: "not a regular file")
            }
            let file = try FileHandle(forReadingFrom: url)
            defer { try? file.close() }
            let data = try file.read(upToCount: sizeLimit + 1) ?? Data()
            guard data.count <= sizeLimit else { throw TokenizationError.fileTooLarge(path: path, limit: sizeLimit) }
            return [UInt8](data)
        } catch let error as TokenizationError {
            throw error
        } catch {
            let reason = FileManager.default.fileExists(atPath: path) ? "cannot be read" : "no such file"
            throw TokenizationError.unreadableFile(path: path, reason: reason)
        }
    }

    /// - Throws: `TokenizationError` for bytes that are not JSON, or not a byte-level BPE tokenizer.
    init(parsing bytes: [UInt8]) throws {
        var scanner = try JSONScanner(bytes)
        var parts: [String: JSONNode] = [:]
        var model: ModelReader?
        var names: Set<String> = []
        try scanner.members { scanner, key in
            let name = try scanner.comparable(key)
            guard names.insert(name).inserted else { throw scanner.failure("key \(quoted(name)) appears twice") }
            if name == "model" {
                model = try ModelReader(&scanner)
            } else {
                let value = try scanner.value()
                // Truncation and padding belong to whoever batches texts; versions to whoever writes the file.
                if value != .null { parts[name] = JSONNode(value: value, path: name) }
            }
        }
        try scanner.finish()
        guard let model else { throw TokenizationError.invalidFile("model is missing") }
        self.model = try model.model(&scanner)
        addedTokens = try parts["added_tokens"]?.elements().map(AddedToken.init) ?? []
        normalizer = parts["normalizer"]
        preTokenizer = parts["pre_tokenizer"]
        postProcessor = parts["post_processor"]
        decoder = parts["decoder"]
    }
}

/// Reads `model` in two passes: first the settings, which may stand after the vocabulary, then vocabulary and merges.
private struct ModelReader {
    private let settings: JSONNode
    private let vocabularyPosition: Int?
    private let mergesPosition: Int?

    init(_ scanner: inout JSONScanner) throws {
        var members: [String: JSONValue] = [:]
        var vocabularyPosition: Int?
        var mergesPosition: Int?
        guard try scanner.peek() == UInt8(ascii: "{") else {
            throw TokenizationError.invalidFile("model is not an object")
        }
        try scanner.members { scanner, key in
            let name = try scanner.comparable(key)
            let start = scanner.position
            let isFirst: Bool
            switch name {
            case "vocab":
                isFirst = vocabularyPosition == nil
                vocabularyPosition = start
                try scanner.skip()
            case "merges":
                isFirst = mergesPosition == nil
                mergesPosition = start
                try scanner.skip()
            default:
                isFirst = members.updateValue(try scanner.value(), forKey: name) == nil
            }
            guard isFirst else { throw scanner.failure("key \(quoted(name)) appears twice", at: start) }
        }
        settings = JSONNode(value: .object(members), path: "model")
        self.vocabularyPosition = vocabularyPosition
        self.mergesPosition = mergesPosition
    }

    func model(_ scanner: inout JSONScanner) throws -> BPEModel {
        try checkSettings()
        let unknownToken = try settings.optionalMember("unk_token")?.string()
        let vocabulary = try vocabulary(&scanner)
        return try BPEModel(
            vocabulary: vocabulary, merges: merges(&scanner, vocabulary), unknownToken: unknownToken,
            fusesUnknown: settings.optionalMember("fuse_unk")?.bool() ?? false,
            ignoresMerges: settings.optionalMember("ignore_merges")?.bool() ?? false)
    }

    private func checkSettings() throws {
        // Files older than the key are BPE if they have merges.
        if let type = try settings.optionalMember("type")?.string(), type != "BPE" {
            throw TokenizationError.unsupported("model: type \(quoted(type)) is not supported (supported: BPE)")
        }
        if try settings.optionalMember("byte_fallback")?.bool() ?? false {
            throw TokenizationError.unsupported(
                "model.byte_fallback is true; only byte-level BPE, without it, is supported")
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let affix = try settings.optionalMember(key)?.string(), !affix.isEmpty {
                throw TokenizationError.unsupported("model.\(key) \(quoted(affix)) is not supported")
            }
        }
        if let dropout = try settings.optionalMember("dropout"), ![.integer(0), .number(0)].contains(dropout.value) {
            throw TokenizationError.unsupported("model.dropout is not supported: encoding would be random")
        }
    }

    private func vocabulary(_ scanner: inout JSONScanner) throws -> Vocabulary {
        guard let vocabularyPosition else { throw TokenizationError.invalidFile("model.vocab is missing") }
        scanner.rewind(to: vocabularyPosition)
        guard try scanner.peek() == UInt8(ascii: "{") else {
            throw TokenizationError.invalidFile("model.vocab is not an object")
        }
        var vocabulary = Vocabulary()
        try scanner.members { scanner, token in
            try vocabulary.insert(token, id: scanner.integer())
        }
        return vocabulary
    }

    private func merges(_ scanner: inout JSONScanner, _ vocabulary: Vocabulary) throws -> PairTable {
        guard let mergesPosition else { throw TokenizationError.invalidFile("model.merges is missing") }
        scanner.rewind(to: mergesPosition)
        guard try scanner.peek() == UInt8(ascii: "[") else {
            throw TokenizationError.invalidFile("model.merges is not an array")
        }
        var table = PairTable(minimumCapacity: vocabulary.count)
        var rank: UInt32 = 0
        var left: [UInt8] = []
        var right: [UInt8] = []
        func id(_ token: [UInt8]) throws -> UInt32 {
            guard let id = vocabulary.id(of: token) else {
                throw TokenizationError.invalidFile("model.merges[\(rank)]: \(quoted(token)) is not in model.vocab")
            }
            return UInt32(id)
        }
        try scanner.elements { scanner in
            guard try Self.readMerge(&scanner, rank, &left, &right) else { return }
            let leftID = try id(left)
            let rightID = try id(right)
            left.append(contentsOf: right)
            // A pair given twice keeps its last rank, as in the file format's own library.
            table.insert(leftID, rightID, UInt64(rank) << 32 | UInt64(try id(left)))
            rank += 1
        }
        return table
    }

    /// Reads `["a", "b"]` or, as older files write it, `"a b"`. False for the version line of such files.
    private static func readMerge(
        _ scanner: inout JSONScanner, _ rank: UInt32, _ left: inout [UInt8], _ right: inout [UInt8]
    ) throws -> Bool {
        left.removeAll(keepingCapacity: true)
        right.removeAll(keepingCapacity: true)
        if try scanner.peek() == UInt8(ascii: "\"") {
            try scanner.appendString(to: &left)
            if left.starts(with: "#version".utf8) { return false }
            let spaces = left.indices.filter { left[$0] == UInt8(ascii: " ") }
            guard spaces.count == 1 else {
                throw TokenizationError.invalidFile("model.merges[\(rank)]: \(quoted(left)) is not two tokens")
            }
            right.append(contentsOf: left[(spaces[0] + 1)...])
            left.removeSubrange(spaces[0]...)
            return true
        }
        var parts = 0
        try scanner.elements { scanner in
            switch parts {
            case 0: try scanner.appendString(to: &left)
            case 1: try scanner.appendString(to: &right)
            default: try scanner.skip()
            }
            parts += 1
        }
        guard parts == 2 else {
            throw TokenizationError.invalidFile("model.merges[\(rank)] has \(parts) tokens, expected two")
        }
        return true
    }
}
