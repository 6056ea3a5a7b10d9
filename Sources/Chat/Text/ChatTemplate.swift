import Checkpoints
import Foundation
import JSON
import Jinja

/// What makes the text that a model reads of a conversation.
public struct ChatTemplate: Sendable {
    private let template: JinjaTemplate
    /// For conversations with tools, where the model has a template of its own for them.
    private let toolTemplate: JinjaTemplate?
    private let specialTokens: JSONObject

    /// Reads a template file; the template sees no special tokens.
    ///
    /// - Throws: `CheckpointError` or `JinjaError`.
    public init(file: URL) throws {
        template = try Self.read(file)
        toolTemplate = nil
        specialTokens = [:]
    }

    /// Reads a checkpoint directory's template: `chat_template.jinja`, else `chat_template` in `tokenizer_config.json`, else in
    /// `chat_template.json`; there it is text, or named ones as an object or a list. The one for tools may also be
    /// `additional_chat_templates/tool_use.jinja`.
    ///
    /// - Throws: `CheckpointError`; `JinjaError` for one that is no template; `ChatError.noTemplate` where there is none.
    public init(directory: URL) throws {
        guard let found = try Self(optional: directory) else { throw ChatError.noTemplate(directory.path) }
        self = found
    }

    /// - Returns: nil where the directory has no template.
    init?(optional directory: URL) throws {
        specialTokens = try SpecialTokens(directory: directory).variables
        let tools = directory.appending(path: "additional_chat_templates/tool_use.jinja")
        let besides = FileManager.default.fileExists(atPath: tools.path) ? try Self.read(tools) : nil
        let file = directory.appending(path: "chat_template.jinja")
        if FileManager.default.fileExists(atPath: file.path) {
            template = try Self.read(file)
            toolTemplate = besides
            return
        }
        for name in ["tokenizer_config.json", "chat_template.json"] {
            guard let config = try ConfigFile.optional(directory.appending(path: name)),
                let written = try Self.written(config)
            else { continue }
            template = try JinjaTemplate(written.default, name: config.file)
            toolTemplate = try besides ?? written.tools.map { try JinjaTemplate($0, name: "\(config.file) (tool_use)") }
            return
        }
        return nil
    }

    /// `chat_template` of a file; nil where it has none.
    private static func written(_ config: ConfigObject) throws -> (default: String, tools: String?)? {
        var named: [String: String] = [:]
        switch config.json("chat_template") {
        case nil: return nil
        case .string(let text): return (text, nil)
        case .array(let values):
            for value in values {
                guard case .object(let object) = value, case .string(let name) = object["name"],
                    case .string(let text) = object["template"]
                else { throw config.invalid("chat_template", "a list's entries have a name and a template") }
                named[name] = text
            }
        case .object(let object):
            for (name, value) in object {
                guard case .string(let text) = value else {
                    throw config.invalid("chat_template", "the template called \(quoted(name)) is no text")
                }
                named[name] = text
            }
        default: throw config.invalid("chat_template", "is neither text nor named templates")
        }
        guard let text = named["default"] ?? (named.count == 1 ? named.values.first : nil) else {
            throw config.invalid("chat_template", "none of its templates is called default")
        }
        return (text, named["tool_use"])
    }

    private static func read(_ file: URL) throws -> JinjaTemplate {
        let contents = try MappedFile(file.path)
        guard contents.size <= JinjaTemplate.maximumBytes else {
            throw CheckpointError(
                .tooLarge, file.path,
                "is \(contents.size) bytes; a template of at most \(JinjaTemplate.maximumBytes) was expected")
        }
        let text = contents.contents.withBytes { String(validating: $0, as: UTF8.self) }
        guard let text else { throw CheckpointError(.malformed, file.path, "is not UTF-8") }
        return try JinjaTemplate(text, name: file.path)
    }

    /// The text of a conversation.
    ///
    /// - Parameters:
    ///   - thinking: what the template sees as `enable_thinking`.
    /// - Throws: `JinjaError` where the template refuses the conversation, or fails.
    public func render(_ messages: [ChatMessage], addGenerationPrompt: Bool, thinking: Bool) throws -> String {
        let values = messages.map { message in
            JSONValue.object(["role": .string(message.role.rawValue), "content": .string(message.content)])
        }
        return try render(
            .array(values), addGenerationPrompt: addGenerationPrompt, variables: ["enable_thinking": .bool(thinking)])
    }

    /// - Parameter variables: what the template sees besides; they replace the model's special tokens of the same name.
    package func render(
        _ messages: JSONValue, addGenerationPrompt: Bool, variables: JSONObject
    ) throws -> String {
        // What transformers passes even where the caller gives none.
        var context: JSONObject = ["tools": .null, "documents": .null]
        for (name, value) in specialTokens { context[name] = value }
        for (name, value) in variables { context[name] = value }
        context["messages"] = messages
        context["add_generation_prompt"] = .bool(addGenerationPrompt)
        let usesTools = context["tools"] != .null
        return try (usesTools ? toolTemplate ?? template : template).render(context)
    }
}
