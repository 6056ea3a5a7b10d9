import ArgumentParser
import Inference
import Tokenization

/// The flags that give the prompt.
struct PromptOptions: ParsableArguments {
    @Argument(help: "The prompt's text.")
    var prompt: String?

    @Flag(help: "Take the prompt as it is, without a chat template.")
    var raw = false

    @Option(help: ArgumentHelp("The prompt as token ids, such as \"1 2 3\".", valueName: "ids"))
    var promptIds: String?

    @Option(
        help: ArgumentHelp(
            "How the prompt is cut for fusion: length:mask, ... with mask -1 for none, else a sum of 1 (first sharer), 2 (second), 4, ... The last section is never fused.",
            valueName: "length:mask,..."))
    var sections: String?

    func validate() throws {
        if prompt != nil, promptIds != nil {
            throw ValidationError("both a prompt and --prompt-ids are given; give one of them")
        }
        if prompt != nil, !raw {
            throw ValidationError("chat templates are not supported yet; add --raw to take the prompt as it is")
        }
    }

    /// The prompt's tokens; nil when none was given.
    func tokens(_ tokenizer: @autoclosure () throws -> Tokenizer?) throws -> [Int]? {
        if let promptIds {
            let fields = promptIds.split { $0 == " " || $0 == "," || $0.isNewline }
            return try fields.map { field in
                guard let id = Int(field) else {
                    throw UsageError("--prompt-ids: \"\(field)\" is no token id; write numbers, such as \"1 2 3\"")
                }
                return id
            }
        }
        guard let prompt else { return nil }
        guard let tokenizer = try tokenizer() else {
            throw UsageError("the model's directory has no tokenizer.json; give --prompt-ids instead of text")
        }
        return try tokenizer.encode(prompt, addSpecialTokens: false)
    }

    /// The prompt's sections: those asked for, or the default ones.
    func sections(promptLength: Int, sharerCount: Int) throws -> [Section] {
        try sections.map(Section.parse)
            ?? Section.defaults(promptLength: promptLength, sharerCount: sharerCount)
    }
}
