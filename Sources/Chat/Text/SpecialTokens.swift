import Checkpoints
import Foundation
import JSON
import Tokenization

/// The tokens with a role, by their text; see `TokenizerConfig` for the files that name them.
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
    /// Roles that a model has besides, such as `image_token`, and their tokens' texts.
    public var modelSpecific: [String: String] = [:]
    /// Others that the model's makers call special.
    public var additional: [String] = []

    public init() {}

    /// Reads a checkpoint directory; nothing where it has neither file.
    ///
    /// - Throws: `TokenizationError` for a file that can't be read or holds something else.
    public init(directory: URL) throws {
        let config = try TokenizerConfig(directory: directory)
        for (name, text) in config.roleTexts {
            if let role = Role(rawValue: name) { texts[role] = text } else { modelSpecific[name] = text }
        }
        additional = config.additionalTexts
    }

    /// What templates see: `bos_token` and its like.
    var variables: JSONObject {
        var variables: JSONObject = [:]
        for (role, text) in modelSpecific { variables[role] = .string(text) }
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
