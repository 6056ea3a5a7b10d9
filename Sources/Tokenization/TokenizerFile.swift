import Foundation

/// The content of a tokenizer.json: the model read into tables, the other parts as JSON.
struct TokenizerFile {
    /// `added_tokens`, with the ids that the file names.
    var addedTokens: [(id: Int, token: AddedToken)] = []
    var normalizer: JSONNode?
    var preTokenizer: JSONNode?
    var postProcessor: JSONNode?
    var decoder: JSONNode?
    let model: BPEModel

    /// Several times the largest published, in bytes.
    static let sizeLimit = 128 << 20

    /// - Throws: `TokenizationError.unreadableFile` or `.fileTooLarge`.
    static func read(_ url: URL, limit: Int = sizeLimit) throws -> [UInt8] {
        let path = url.path
        do {
            // A pipe or a device would be read for ever; the Hugging Face cache is made of links.
            let target = url.resolvingSymlinksInPath()
            guard try target.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else {
                throw TokenizationError.unreadableFile(path: path, reason: "not a regular file")
            }
            let file = try FileHandle(forReadingFrom: url)
            defer { try? file.close() }
            let data = try file.read(upToCount: limit + 1) ?? Data()
            guard data.count <= limit else { throw TokenizationError.fileTooLarge(path: path, limit: limit) }
            guard !data.starts(with: "version https://git-lfs.github.com/".utf8) else {
                throw TokenizationError.unreadableFile(
                    path: path,
                    reason: "is a Git LFS pointer, not the file; get the file with `git lfs pull` or `hf download`")
            }
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
        var parts = JSONMembers()
        var model: ModelReader?
        try scanner.members { scanner, key in
            if key.elementsEqual("model".utf8) {
                model = try ModelReader(&scanner)
            } else {
                // Truncation and padding belong to whoever batches texts; versions to whoever writes the file.
                parts.insert(key, try scanner.value())
            }
        }
        try scanner.finish()
        guard let model else { throw TokenizationError.invalidFile("model is missing") }
        let file = JSONNode(value: .object(parts), path: "")
        self = try TokenizerFile(model: model.model(&scanner), parts: file)
        for node in try file.optionalMember("added_tokens")?.elements() ?? [] {
            let id = try node.member("id").integer()
            guard (0..<Vocabulary.idLimit).contains(id) else {
                throw TokenizationError.invalidFile("\(node.path).id is \(id), expected 0..<\(Vocabulary.idLimit)")
            }
            addedTokens.append((id, try AddedToken(entry: node)))
        }
    }
}

extension TokenizerFile {
    /// - Parameter parts: an object with the parts other than the model.
    init(model: BPEModel, parts: JSONNode) throws {
        self.model = model
        normalizer = try parts.optionalMember("normalizer")
        preTokenizer = try parts.optionalMember("pre_tokenizer")
        postProcessor = try parts.optionalMember("post_processor")
        decoder = try parts.optionalMember("decoder")
    }
}

/// Reads `model` in two passes: first the settings, which may stand after the vocabulary, then vocabulary and merges.
private struct ModelReader {
    private let settings: JSONNode
    private let vocabularyPosition: Int?
    private let mergesPosition: Int?

    init(_ scanner: inout JSONScanner) throws {
        var members = JSONMembers()
        var vocabularyPosition: Int?
        var mergesPosition: Int?
        guard try scanner.peek() == UInt8(ascii: "{") else {
            throw TokenizationError.invalidFile("model is not an object")
        }
        try scanner.members { scanner, key in
            let name = try scanner.comparable(key)
            switch name {
            case "vocab":
                vocabularyPosition = scanner.position
                try scanner.skip()
            case "merges":
                mergesPosition = scanner.position
                try scanner.skip()
            default:
                members.insert(key, try scanner.value())
            }
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
        return try Vocabulary(&scanner)
    }

    private func merges(_ scanner: inout JSONScanner, _ vocabulary: Vocabulary) throws -> PairTable {
        guard let mergesPosition else { throw TokenizationError.invalidFile("model.merges is missing") }
        scanner.rewind(to: mergesPosition)
        guard try scanner.peek() == UInt8(ascii: "[") else {
            throw TokenizationError.invalidFile("model.merges is not an array")
        }
        var merges = MergeList(vocabulary)
        var left: [UInt8] = []
        var right: [UInt8] = []
        try scanner.elements { scanner in
            left.removeAll(keepingCapacity: true)
            right.removeAll(keepingCapacity: true)
            if try scanner.peek() == UInt8(ascii: "\"") {
                try scanner.appendString(to: &left)
                try merges.add(line: left)
            } else {
                try Self.readPair(&scanner, merges.count, &left, &right)
                try merges.add(left, right)
            }
        }
        return merges.table
    }

    /// Reads `["a", "b"]`.
    private static func readPair(
        _ scanner: inout JSONScanner, _ rank: Int, _ left: inout [UInt8], _ right: inout [UInt8]
    ) throws {
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
    }
}
