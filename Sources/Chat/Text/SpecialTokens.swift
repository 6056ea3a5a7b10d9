import Checkpoints
import Foundation
import JSON

/// The tokens with a role, by their text: those of `tokenizer_config.json`, and where it leaves one out, of
/// `special_tokens_map.json`.
public struct SpecialTokens: Sendable, Equatable {
    public enum Role: String, Sendable, CaseIterable {
        case beginning = "bos_token"
        case end = "eos_token"
        case unknown = "unk_token"
        case separator = "sep_token"
        case padding = "pad_token"
        case classification = "cls_token"
        case mask = "mask_token"
    }

    public var texts: [Role: String] = [:]
    /// Others that the model's makers call special.
    public var additional: [String] = []

    public init() {}

    /// Reads a checkpoint directory; nothing where it has neither file.
    ///
    /// - Throws: `CheckpointError` for a file that can't be read or holds something else.
    public init(directory: URL) throws {
        for name in ["tokenizer_config.json", "special_tokens_map.json"] {
            guard let config = try ConfigFile.optional(directory.appending(path: name)) else { continue }
            for role in Role.allCases where texts[role] == nil {
                texts[role] = try config.json(role.rawValue).map { try Self.text($0, role.rawValue, config) }
            }
            guard additional.isEmpty else { continue }
            if case .array(let values) = config.json("additional_special_tokens") {
                additional = try values.map { try Self.text($0, "additional_special_tokens", config) }
            }
        }
    }

    /// A token is written as text, or as an object with its text and how it is matched.
    private static func text(_ value: JSONValue, _ key: String, _ config: ConfigObject) throws -> String {
        switch value {
        case .string(let text): return text
        case .object(let object): if case .string(let text) = object["content"] { return text }
        default: break
        }
        throw config.invalid(key, "is no token; write its text")
    }

    /// What templates see: `bos_token` and its like.
    var variables: JSONObject {
        var variables: JSONObject = [:]
        for role in Role.allCases {
            if let text = texts[role] { variables[role.rawValue] = .string(text) }
        }
        if !additional.isEmpty { variables["additional_special_tokens"] = .array(additional.map(JSONValue.string)) }
        return variables
    }
}

extension ConfigFile {
    /// The file's object, nil where there is no such file.
    static func optional(_ url: URL) throws -> ConfigObject? {
        FileManager.default.fileExists(atPath: url.path) ? try ConfigFile(url.path).root : nil
    }
}
