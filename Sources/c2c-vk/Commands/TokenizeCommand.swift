import ArgumentParser
import Chat
import Checkpoints
import Foundation
import JSON
import Tokenization

struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize", abstract: "Shows a text's token ids, or the text of ids.",
        discussion: """
            With --json-lines, every line of standard input is answered by one line: {"text": "…", "special": false} by \
            {"ids": […]}, {"ids": […], "skip_special": false} by {"text": "…"}, and what can't be answered by \
            {"error": "…"}.
            """)

    @Argument(
        help: ArgumentHelp("Directory or repository id of a model, or a tokenizer.json.", valueName: "dir"),
        completion: .file())
    var model: String

    @Argument(help: "The text; without it, standard input.")
    var text: String?

    @Flag(help: "Add the tokens that the tokenizer puts around a text.")
    var special = false

    @Option(parsing: .unconditional, help: ArgumentHelp("Show the text of these ids instead.", valueName: "ids"))
    var ids: String?

    @Flag(help: "Answer JSON objects, line by line.")
    var jsonLines = false

    func validate() throws {
        if [text != nil, ids != nil, jsonLines].filter({ $0 }).count > 1 {
            throw ValidationError("give one of a text, --ids and --json-lines")
        }
        if special, ids != nil || jsonLines {
            throw ValidationError(
                "--special is for a text; leave it out with "
                    + (ids != nil ? "--ids" : "--json-lines, whose objects say \"special\""))
        }
    }

    func run() throws {
        let tokenizer = try Self.tokenizer(try HubCache().resolve(model))
        if jsonLines {
            try JSONLines.run { try Self.answer($0, tokenizer) }
        } else if let ids {
            try Output.line(try tokenizer.decode(try parseTokenIDs(ids, flag: "--ids"), skipSpecialTokens: false))
        } else {
            let text = try text ?? StandardInput.text()
            let ids = try tokenizer.encode(text, addSpecialTokens: special)
            try Output.line(ids.map(String.init).joined(separator: " "))
        }
    }

    private static func tokenizer(_ path: String) throws -> Tokenizer {
        let url = URL(filePath: path)
        return path.hasSuffix(".json") ? try Tokenizer(tokenizerJSON: url) : try Tokenizer(directory: url)
    }

    private static func answer(_ request: JSONObject, _ tokenizer: Tokenizer) throws -> JSONObject {
        if let text = try request.optionalString("text") {
            let ids = try tokenizer.encode(text, addSpecialTokens: try request.bool("special", default: false))
            return ["ids": .array(ids.map(JSONValue.integer))]
        }
        guard let ids = try request.optionalIntegers("ids") else {
            throw UsageError("the object has neither \"text\" nor \"ids\"")
        }
        let skips = try request.bool("skip_special", default: false)
        return ["text": .string(try tokenizer.decode(ids, skipSpecialTokens: skips))]
    }
}
