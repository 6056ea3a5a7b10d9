import Foundation
import Testing

@Suite struct IncludeTests {
    private func messages(_ files: [String: String]) throws -> [String] {
        let result = try Compilation(files).run()
        #expect(result.status == 1)
        return result.messages
    }

    @Test func includedFunctionsAreUsable() throws {
        let result = try Compilation([
            "a.comp": shader(declarations: "#include \"maths/square.glsl\" // it", body: "values[0] = square(2);"),
            "maths/square.glsl": "#include \"maths/times.glsl\"\nfloat square(float x) { return times(x, x); }\n",
            "maths/times.glsl": "float times(float x, float y) { return x * y; }",
        ]).run()
        #expect(result.messages == [])
        #expect(result.modules.map(\.key) == ["a"])
    }

    @Test func errorInsideAnIncludeIsOnItsOwnLine() throws {
        let found = try messages([
            "a.comp": shader(declarations: "#include \"good.glsl\"\n#include \"bad.glsl\""),
            "good.glsl": "const float one = 1.0;\n\n",
            "bad.glsl": "#include \"good.glsl\"\n\nfloat wrong() { return missing; }\n",
        ])
        #expect(found.first == "Shaders/bad.glsl:3: error: 'missing' : undeclared identifier")
    }

    @Test func errorAfterAnIncludeIsOnTheIncludersLine() throws {
        let found = try messages([
            "a.comp": shader(declarations: "#include \"good.glsl\"", body: "values[0] = missing;"),
            "good.glsl": "const float one = 1.0;\nconst float two = 2.0;\n",
        ])
        #expect(found.first == "Shaders/a.comp:7: error: 'missing' : undeclared identifier")
    }

    @Test func linesAreRightAfterABranchNotTaken() throws {
        let found = try messages([
            "a.comp": shader(
                declarations: "#ifdef NEVER\n#include \"good.glsl\"\n#endif", body: "values[0] = missing;"),
            "good.glsl": "const float one = 1.0;\nconst float two = 2.0;\n",
        ])
        #expect(found.first == "Shaders/a.comp:9: error: 'missing' : undeclared identifier")
    }

    @Test func aFileTakesEffectOnce() throws {
        let result = try Compilation([
            "a.comp": shader(declarations: "#include \"x.glsl\"\n#include \"y.glsl\"", body: "values[0] = one + two;"),
            "x.glsl": "const float one = 1.0;",
            "y.glsl": "#include \"x.glsl\"\nconst float two = one + one;",
        ]).run()
        #expect(result.messages == [])
        #expect(result.status == 0)
    }

    @Test func anIncludeNotTakenDoesNotCount() throws {
        let result = try Compilation([
            "a.comp": shader(
                declarations: "#ifdef NEVER\n#include \"x.glsl\"\n#endif\n#include \"x.glsl\"",
                body: "values[0] = one;"),
            "x.glsl": "const float one = 1.0;",
        ]).run()
        #expect(result.messages == [])
        #expect(result.status == 0)
    }

    @Test func aCommentIncludesNothing() throws {
        let result = try Compilation([
            "a.comp": shader(declarations: "// #include \"no.glsl\"\n/* a\n#include \"no.glsl\"\n*/ // /* b")
        ]).run()
        #expect(result.messages == [])
        #expect(result.status == 0)
    }

    @Test func cycleIsAnErrorAtTheLineThatClosesIt() throws {
        let found = try messages([
            "a.comp": shader(declarations: "#include \"x.glsl\""),
            "x.glsl": "\n#include \"y.glsl\"",
            "y.glsl": "\n\n#include \"x.glsl\"",
        ])
        #expect(found == ["Shaders/y.glsl:3: error: include cycle: a.comp -> x.glsl -> y.glsl -> x.glsl"])
    }

    @Test(arguments: ["../outside.glsl", "/etc/outside.glsl", "x/../../outside.glsl", "./x.glsl", "x//y.glsl"])
    func pathOutOfTheFolderIsAnError(path: String) throws {
        let found = try messages(["a.comp": shader(declarations: "#include \"\(path)\"")])
        let message = "\"\(path)\" leaves Shaders/; name a file by its path inside that folder"
        #expect(found == ["Shaders/a.comp:5: error: \(message)"])
    }

    @Test func linkOutOfTheFolderIsAnError() throws {
        let compilation = try Compilation(["a.comp": shader(declarations: "#include \"link.glsl\"")])
        let outside = compilation.shaders.deletingLastPathComponent().appending(path: "outside.glsl")
        try Data("const float one = 1.0;".utf8).write(to: outside)
        try FileManager.default.createSymbolicLink(
            at: compilation.shaders.appending(path: "link.glsl"), withDestinationURL: outside)
        let result = try compilation.run()
        #expect(result.status == 1)
        #expect(result.messages.first?.hasPrefix("Shaders/a.comp:5: error: \"link.glsl\" is a link out of") == true)
    }

    @Test func missingFileIsAnErrorAtTheInclude() throws {
        let found = try messages(["a.comp": shader(declarations: "\n#include \"no.glsl\"")])
        #expect(found == ["Shaders/a.comp:6: error: \"no.glsl\" is not in Shaders/, or cannot be read"])
    }

    @Test(arguments: ["<x.glsl>", "x.glsl", "\"x.glsl", "\"x.glsl\" x", ""])
    func malformedIncludeIsAnError(argument: String) throws {
        let found = try messages(["a.comp": shader(declarations: "#include \(argument)"), "x.glsl": ""])
        #expect(found.first?.hasPrefix("Shaders/a.comp:5: error: malformed include") == true)
    }

    @Test func onlyGLSLFilesAreIncluded() throws {
        let found = try messages(["a.comp": shader(declarations: "#include \"b.comp\""), "b.comp": shader()])
        #expect(found == ["Shaders/a.comp:5: error: \"b.comp\" is not a .glsl file; only those are included"])
    }
}
