import Foundation

/// A tokenizer kept in the two files that came before tokenizer.json: `vocab.json`, `{"token": id}`, and `merges.txt`, a merge on
/// each line. What else there is to a tokenizer was in the program that read them, and has to be known.
enum VocabularyFiles {
    /// Whose program read the files.
    enum Style: String {
        case qwen2 = "Qwen2Tokenizer"
        case gpt2 = "GPT2Tokenizer"

        /// Tokens with a role where the files name none.
        var defaults: [String: String] {
            let end = "<|endoftext|>"
            return switch self {
            case .qwen2: ["eos_token": end, "unk_token": end, "pad_token": end]
            case .gpt2: ["bos_token": end, "eos_token": end, "unk_token": end]
            }
        }

        /// The parts of a tokenizer.json.
        fileprivate func parts(addsPrefixSpace: Bool) -> String {
            switch self {
            case .qwen2:
                #"""
                {"normalizer": {"type": "NFC"}, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                  {"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex":
                    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}},
                  {"type": "ByteLevel", "add_prefix_space": \#(addsPrefixSpace), "use_regex": false}]},
                 "decoder": {"type": "ByteLevel"}}
                """#
            case .gpt2:
                #"""
                {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": \#(addsPrefixSpace), "use_regex": true},
                 "decoder": {"type": "ByteLevel"}}
                """#
            }
        }
    }

    static let vocabulary = "vocab.json"
    static let merges = "merges.txt"

    /// Whether a directory holds both files.
    static func exist(in directory: URL) -> Bool {
        [vocabulary, merges].allSatisfy { FileManager.default.fileExists(atPath: directory.appending(path: $0).path) }
    }

    /// - Throws: `TokenizationError`.
    static func read(_ directory: URL, style: Style, addsPrefixSpace: Bool) throws -> TokenizerFile {
        let vocabularyFile = directory.appending(path: vocabulary)
        let vocabulary = try TokenizationError.naming(vocabularyFile.path) {
            var scanner = try JSONScanner(TokenizerFile.read(vocabularyFile))
            let vocabulary = try Vocabulary(&scanner)
            try scanner.finish()
            return vocabulary
        }
        let mergesFile = directory.appending(path: merges)
        let merges = try TokenizationError.naming(mergesFile.path) {
            var merges = MergeList(vocabulary)
            let newline = UInt8(ascii: "\n")
            var lines = try TokenizerFile.read(mergesFile).split(separator: newline, omittingEmptySubsequences: false)
            if lines.last?.isEmpty == true { lines.removeLast() }
            for line in lines { try merges.add(line: Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)) }
            return merges.table
        }
        let model = try BPEModel(
            vocabulary: vocabulary, merges: merges, unknownToken: nil, fusesUnknown: false, ignoresMerges: false)
        var scanner = try JSONScanner(Array(style.parts(addsPrefixSpace: addsPrefixSpace).utf8))
        return try TokenizerFile(model: model, parts: JSONNode(value: scanner.value(), path: ""))
    }
}

extension Vocabulary {
    /// Reads `{"token": id, ...}`.
    init(_ scanner: inout JSONScanner) throws {
        self.init()
        try scanner.members { scanner, token in try insert(token, id: scanner.integer()) }
    }
}
