import Chat
import Checkpoints
import Foundation
import JSON
import Jinja
import Testing
import Tokenization

@Suite struct ChatTemplateTests {
    private static let written = "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
    private static let quoted = "\"" + written.replacing("\"", with: "\\\"") + "\""

    private func render(_ files: [String: String], variables: JSONObject = [:]) throws -> String {
        let folder = try TemporaryFolder(files)
        let template = try ChatTemplate(directory: folder.url)
        return try template.render(
            .array([.object(["role": .string("user"), "content": .string("hi")])]), addGenerationPrompt: true,
            variables: variables)
    }

    @Test("A template is found wherever checkpoints keep it, with the special tokens")
    func places() throws {
        let file = ["chat_template.jinja": Self.written, "tokenizer_config.json": #"{"bos_token":"<s>"}"#]
        #expect(try render(file) == "<s>[user]hi")
        let text = ["tokenizer_config.json": #"{"bos_token":{"content":"<s>"},"chat_template":\#(Self.quoted)}"#]
        #expect(try render(text) == "<s>[user]hi")
        let listed = [
            "tokenizer_config.json":
                #"{"chat_template":[{"name":"tool_use","template":"T"},{"name":"default","template":\#(Self.quoted)}]}"#,
            "special_tokens_map.json": #"{"bos_token":"<b>"}"#,
        ]
        #expect(try render(listed) == "<b>[user]hi")
        #expect(try render(listed, variables: ["tools": .array([.string("f")])]) == "T")
        let named = [
            "tokenizer_config.json":
                #"{"bos_token":"<s>","chat_template":{"tool_use":"T","default":\#(Self.quoted)},"image_token":"<i>"}"#
        ]
        #expect(try render(named) == "<s>[user]hi")
        #expect(try render(named, variables: ["tools": .array([])]) == "T")
        let single = ["chat_template.json": #"{"chat_template":\#(Self.quoted)}"#]
        #expect(try render(single) == "[user]hi")
        // As transformers' tokenizers, which don't know chat_template.json.
        let both = single.merging(["tokenizer_config.json": #"{"chat_template":"C"}"#]) { $1 }
        #expect(try render(both) == "C")
        #expect(try render(both.merging(["chat_template.jinja": "J"]) { $1 }) == "J")
        let besides = ["additional_chat_templates/tool_use.jinja": "A {{ image_token }}"]
        #expect(try render(named.merging(besides) { $1 }, variables: ["tools": .array([])]) == "A <i>")
        #expect(try render(file.merging(besides) { $1 }) == "<s>[user]hi")
        #expect(try render(file.merging(text) { $1 }) == "<s>[user]hi")
    }

    @Test("What a caller passes replaces the model's own tokens")
    func variables() throws {
        let file = ["chat_template.jinja": Self.written, "tokenizer_config.json": #"{"bos_token":"<s>"}"#]
        #expect(try render(file, variables: ["bos_token": .string("<x>")]) == "<x>[user]hi")
    }

    @Test("Templates see tools and documents as none, and thinking as asked")
    func context() throws {
        let folder = try TemporaryFolder([
            "chat_template.jinja":
                "{{ tools is none }}{{ documents is none }}{{ enable_thinking }}{{ add_generation_prompt }}"
        ])
        let template = try ChatTemplate(directory: folder.url)
        #expect(try template.render([], addGenerationPrompt: false, thinking: true) == "TrueTrueTrueFalse")
    }

    @Test("What is no template says where and why")
    func failures() throws {
        #expect(throws: ChatError.self) { try render([:]) }
        #expect(throws: CheckpointError.self) { try render(["tokenizer_config.json": #"{"chat_template":7}"#]) }
        #expect(throws: CheckpointError.self) { try render(["tokenizer_config.json": #"{"chat_template":[{}]}"#]) }
        #expect(throws: CheckpointError.self) {
            try render([
                "tokenizer_config.json": #"{"chat_template":[{"name":"a","template":"x"},{"name":"b","template":"y"}]}"#
            ])
        }
        #expect(throws: CheckpointError.self) {
            try render(["tokenizer_config.json": #"{"chat_template":{"a":"x","b":"y"}}"#])
        }
        #expect(throws: CheckpointError.self) {
            try render(["tokenizer_config.json": #"{"chat_template":{"default":7}}"#])
        }
        #expect(throws: TokenizationError.self) {
            try render(["tokenizer_config.json": #"{"bos_token":7,"chat_template":"x"}"#])
        }
        let broken = try TemporaryFolder(["chat_template.jinja": "a\n{% if x %}"])
        do {
            _ = try ChatTemplate(directory: broken.url)
            Issue.record("a template without an end was read")
        } catch let error as JinjaError {
            #expect(error.line == 2 && error.template.hasSuffix("chat_template.jinja"))
        }
        let bytes = try TemporaryFolder()
        try Data([0x61, 0xFF]).write(to: bytes.url.appending(path: "chat_template.jinja"))
        #expect(throws: CheckpointError.self) { try ChatTemplate(directory: bytes.url) }
    }
}
