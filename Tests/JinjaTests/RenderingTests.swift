import Foundation
import JSON
import Jinja
import Testing

private let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
private let chatTemplates = tests.deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "shared/third-party/chat_templates")

private func json(_ url: URL) throws -> JSONValue {
    try JSONParser.parse(String(decoding: try Data(contentsOf: url), as: UTF8.self))
}

extension JSONValue {
    fileprivate var text: String? { if case .string(let text) = self { text } else { nil } }
    fileprivate var elements: [JSONValue] { if case .array(let values) = self { values } else { [] } }
    fileprivate var object: JSONObject { if case .object(let object) = self { object } else { [:] } }
}

/// Against texts made with Jinja2 itself, set up as transformers sets it up.
@Suite struct RenderingTests {
    @Test("Every construct renders as in Jinja2, or fails as it does")
    func constructs() throws {
        let fixture = try json(tests.appending(path: "Fixtures/jinja/cases.json")).object
        let variables = try #require(fixture["variables"]).object
        let cases = try #require(fixture["cases"]).elements
        #expect(cases.count > 150)
        for element in cases {
            let element = element.object
            let source = try #require(element["source"]?.text)
            do {
                let text = try JinjaTemplate(source, name: "case").render(variables)
                #expect(text == element["expected"]?.text, "\(source)")
            } catch {
                #expect(element["error"] != nil, "\(source): \(error)")
            }
        }
    }

    @Test(
        "Published templates render as transformers renders them",
        .enabled(if: FileManager.default.fileExists(atPath: chatTemplates.path), "needs shared/third-party"))
    func publishedTemplates() throws {
        let cases = try json(chatTemplates.appending(path: "expected.json")).elements
        #expect(cases.count > 200)
        var templates: [String: JinjaTemplate] = [:]
        for element in cases {
            let element = element.object
            let name = try #require(element["template"]?.text)
            if templates[name] == nil {
                let file = try String(contentsOf: chatTemplates.appending(path: "\(name).jinja"), encoding: .utf8)
                templates[name] = try JinjaTemplate(file, name: name)
            }
            var variables = element["variables"]?.object ?? [:]
            variables["messages"] = element["messages"]
            variables["add_generation_prompt"] = element["add_generation_prompt"]
            let conversation = element["conversation"]?.text ?? ""
            do {
                let text = try templates[name]?.render(variables)
                #expect(text == element["expected"]?.text, "\(name), \(conversation)")
            } catch {
                #expect(element["expected"]?.text == nil, "\(name), \(conversation): \(error)")
            }
        }
    }
}
