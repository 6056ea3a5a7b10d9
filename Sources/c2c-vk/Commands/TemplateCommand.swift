import ArgumentParser
import Chat
import Checkpoints
import Foundation
import JSON

struct TemplateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "template", abstract: "Shows what a chat template makes of a conversation.",
        discussion: """
            The conversation is a JSON object on standard input: {"messages": [{"role": "user", "content": "Hi"}], \
            "add_generation_prompt": true, "variables": {"enable_thinking": false}}. With --json-lines, every line is \
            answered by one line, {"text": "…"} or {"error": "…"}.
            """)

    @Argument(
        help: ArgumentHelp("Directory or repository id of a model, or a template file.", valueName: "dir|file.jinja"),
        completion: .file())
    var model: String

    @Flag(help: "Answer JSON objects, line by line.")
    var jsonLines = false

    func run() throws {
        let path = try HubCache().resolve(model)
        var isDirectory: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        let url = URL(filePath: path)
        let template = isDirectory.boolValue ? try ChatTemplate(directory: url) : try ChatTemplate(file: url)
        if jsonLines {
            try JSONLines.run { ["text": .string(try Self.text(of: $0, template))] }
        } else {
            guard case .object(let request) = try JSONParser.parse(try StandardInput.text()) else {
                throw UsageError("standard input is JSON, but not an object")
            }
            try Output.write(try Self.text(of: request, template))
        }
    }

    private static func text(of request: JSONObject, _ template: ChatTemplate) throws -> String {
        guard let messages = request["messages"], case .array = messages else {
            throw UsageError("the object has no list \"messages\"")
        }
        var variables: JSONObject = [:]
        switch request["variables"] {
        case nil, .null: break
        case .object(let object): variables = object
        case .some(let value): throw UsageError("\"variables\" must be an object, not \(value.kind)")
        }
        return try template.render(
            messages, addGenerationPrompt: try request.bool("add_generation_prompt", default: false),
            variables: variables)
    }
}
