import Foundation
import Testing

@Suite struct CompileTests {
    @Test func goodShaderBecomesOneModule() throws {
        let result = try Compilation(["scale.comp": shader()]).run()
        #expect(result.status == 0)
        #expect(result.messages == [])
        #expect(result.modules.map(\.key) == ["scale"])
        let words = try #require(result.modules.first).words
        #expect(words.first == 0x0723_0203)
        #expect(words[1] == 0x0001_0500, "SPIR-V 1.5, which is Vulkan 1.2's")
    }

    @Test func optimiserInlinesCalls() throws {
        let square = "float square(float x) { return x * x; }"
        let source = shader(declarations: square, body: "values[0] = square(values[1]);")
        let module = try #require(try Compilation(["square.comp": source]).run().modules.first)
        let functionCall: UInt32 = 57
        #expect(!module.opcodes.isEmpty)
        #expect(!module.opcodes.contains(functionCall))
    }

    @Test func noShadersStillGiveAFile() throws {
        let result = try Compilation([:]).run()
        #expect(result.status == 0)
        #expect(result.modules.isEmpty)
        #expect(result.swift?.contains("package enum EmbeddedShaders") == true)
    }

    @Test func twoRunsGiveTheSameBytes() throws {
        var files: [String: String] = [:]
        for name in ["a", "b", "c", "d"] {
            files["\(name).comp"] = shader(header: "// variant N: 1 2 3 4", body: "values[0] = float(N);")
        }
        let compilation = try Compilation(files)
        let first = try #require(try compilation.run(output: "First.swift").swift)
        let second = try #require(try compilation.run(output: "Second.swift").swift)
        #expect(first == second)
    }

    @Test func hashChangesWithTheCode() throws {
        func hash(_ body: String) throws -> Substring {
            let swift = try #require(try Compilation(["a.comp": shader(body: body)]).run().swift)
            return try #require(swift.firstMatch(of: /hash: UInt64 = (0x[0-9a-f]+)/)).1
        }
        #expect(try hash("values[0] = 1.0;") == hash("values[0] = 1.0; // one"))
        #expect(try hash("values[0] = 1.0;") != hash("values[0] = 2.0;"))
    }

    @Test func errorNamesFileAndLine() throws {
        let result = try Compilation(["scale.comp": shader(body: "values[0] = factor;")]).run()
        #expect(result.status == 1)
        #expect(result.swift == nil)
        #expect(result.messages.first == "Shaders/scale.comp:7: error: 'factor' : undeclared identifier")
    }

    @Test func everyShaderIsCheckedAlthoughOneFails() throws {
        let result = try Compilation([
            "a.comp": shader(body: "values[0] = one;"), "b.comp": shader(), "c.comp": shader(body: "values[0] = two;"),
        ]).run()
        #expect(result.status == 1)
        #expect(result.messages.contains("Shaders/a.comp:7: error: 'one' : undeclared identifier"))
        #expect(result.messages.contains("Shaders/c.comp:7: error: 'two' : undeclared identifier"))
    }

    @Test func missingVersionLineIsAnError() throws {
        let result = try Compilation(["a.comp": "void main() {}\n"]).run()
        #expect(result.status == 1)
        #expect(result.messages.first?.hasPrefix("Shaders/a.comp:1: error: no #version line") == true)
    }

    /// glslang lays out `scalar` blocks as asked, but Vulkan 1.2 allows that only with an optional feature.
    @Test func invalidSPIRVIsAnError() throws {
        let declarations = """
            #extension GL_EXT_scalar_block_layout : require
            layout(scalar, set = 0, binding = 1) buffer Packed { float first; vec4 second; } packed;
            """
        let source = shader(declarations: declarations, body: "values[0] = packed.second.x;")
        let result = try Compilation(["packed.comp": source]).run()
        #expect(result.status == 1)
        let prefix = "Shaders/packed.comp: error: invalid SPIR-V before optimising: "
        #expect(result.messages.first?.hasPrefix(prefix) == true, "\(result.messages)")
    }

    @Test func shaderInASubfolderIsNotSkipped() throws {
        let result = try Compilation(["deep/a.comp": shader()]).run()
        #expect(result.status == 1)
        #expect(result.messages.first?.hasPrefix("Shaders/deep/a.comp: error: lies in a subfolder") == true)
    }

    @Test func nameThatCannotBeAKeyIsAnError() throws {
        let result = try Compilation(["a \"b.comp": shader()]).run()
        #expect(result.status == 1)
        #expect(result.messages.first?.contains("its name becomes a key") == true)
    }

    @Test func missingFolderIsAnError() throws {
        let compilation = try Compilation([:])
        try FileManager.default.removeItem(at: compilation.shaders)
        let result = try compilation.run()
        #expect(result.status == 1)
        #expect(result.messages.first?.contains("is not a folder") == true)
    }
}
