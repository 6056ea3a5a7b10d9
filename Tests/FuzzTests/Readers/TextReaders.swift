import Chat
import Evaluation
import Foundation
import JSON
import Jinja

/// JSON that was read can be written, and is the same when read again, but for numbers that JSON can't write.
enum JSONReader {
    static func read(_ bytes: [UInt8]) throws {
        let value = try bytes.withUnsafeBytes { try JSONParser.parse($0) }
        let written = value.serialized
        guard try JSONParser.parse(written) == value.writable else {
            throw BrokenPromise("JSON that changes when written")
        }
    }
}

extension JSONValue {
    /// The value with null for what Python's JSON has and JSON has not: NaN and infinities.
    fileprivate var writable: JSONValue {
        switch self {
        case .number(let value) where !value.isFinite: return .null
        case .array(let items): return .array(items.map(\.writable))
        case .object(let members):
            var result = JSONObject()
            for (key, value) in members { result[key] = value.writable }
            return .object(result)
        default: return self
        }
    }
}

/// A chat template, rendered.
enum JinjaReader {
    static func read(_ bytes: [UInt8]) throws {
        guard let source = String(validating: bytes, as: UTF8.self) else { return }
        var limits = JinjaLimits()
        // A hundredth of what a template may use, so that many can be tried.
        limits.steps /= 100
        limits.textBytes /= 16
        _ = try JinjaTemplate(source, name: "chat_template.jinja").render(variables.get(), limits: limits, now: 0)
    }

    private static let variables = Result {
        let text = #"""
            {"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":" Grüße, 世界! "},
            {"role":"assistant","content":"<think>\nhm\n</think>\n\nHi","tool_calls":[{"type":"function","function":
            {"name":"f","arguments":{"x":1,"y":[true,null,2.5]}}}]},{"role":"tool","content":"[1]"}],
            "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],
            "documents":null,"add_generation_prompt":true,"enable_thinking":false,"bos_token":"<s>","eos_token":"</s>"}
            """#
        guard case .object(let variables) = try JSONParser.parse(text) else {
            throw BrokenPromise("variables that are no object")
        }
        return variables
    }
}

/// A file of questions, in a format that is recognised or named: `questions.csv`, `questions.jsonl gsm8k`.
enum QuestionReader {
    private static let files = ["questions.jsonl", "questions.csv"]
    private static let names =
        files + files.flatMap { file in QuestionFormat.allCases.map { "\(file) \($0.rawValue)" } }

    static func read(_ bytes: [UInt8]) throws {
        let file = NamedFile(bytes, names: names)
        let words = file.name.split(separator: " ").map(String.init)
        let path = try Workplace("questions").write(words[0], file.contents)
        let format = words.count > 1 ? QuestionFormat(rawValue: words[1]) : nil
        let questions = try QuestionFile.read(path, format: format)
        guard Set(questions.map(\.id)).count == questions.count else { throw BrokenPromise("two questions of one id") }
        for question in questions {
            if case .choice(let index) = question.expected, !question.choices.indices.contains(index) {
                throw BrokenPromise("an answer that is none of the choices")
            }
            _ = question.expectedText
        }
    }
}
