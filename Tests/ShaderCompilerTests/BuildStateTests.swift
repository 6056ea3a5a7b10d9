import Foundation
import Testing

@Suite struct BuildStateTests {
    @Test func changedSourceIsCompiledAgain() throws {
        let compilation = try Compilation([
            "a.comp": shader(declarations: "#include \"x.glsl\"", body: "values[0] = one;"),
            "x.glsl": "const float one = 1.0;",
        ])
        let first = try compilation.run(state: "state")
        try compilation.write("const float one = 3.0;", to: "x.glsl")
        let second = try compilation.run(state: "state")
        #expect(first.modules.first?.words != second.modules.first?.words)
        try compilation.write(shader(), to: "b.comp")
        #expect(try compilation.run(state: "state").modules.map(\.key) == ["a", "b"])
    }

    @Test func unchangedSourceIsNotCompiledButTheBuildAsksAgain() throws {
        let compilation = try Compilation(["a.comp": shader(header: "// requires : GL_XYZ_not_invented_yet")])
        let first = try compilation.run(state: "state")
        #expect(first.messages.count == 1, "compiling says that the module is left out")
        let date = try compilation.modificationDate(of: "state")
        let second = try compilation.run(state: "state")
        #expect(second.status == 0)
        #expect(second.messages == [], "nothing was compiled")
        #expect(second.swift == first.swift)
        #expect(try compilation.modificationDate(of: "state") != date)
    }

    @Test func errorStaysUntilMended() throws {
        let compilation = try Compilation(["a.comp": shader()])
        #expect(try compilation.run(state: "state").status == 0)
        try compilation.write(shader(body: "values[0] = missing;"), to: "a.comp")
        let first = try compilation.run(state: "state")
        let second = try compilation.run(state: "state")
        #expect(first.status == 1)
        #expect(second.status == 1)
        #expect(first.messages == second.messages)
        try compilation.write(shader(), to: "a.comp")
        #expect(try compilation.run(state: "state").status == 0)
    }

    @Test func missingOutputIsMadeAgain() throws {
        let compilation = try Compilation(["a.comp": shader()])
        let first = try compilation.run(state: "state")
        try compilation.remove("Out.swift")
        #expect(try compilation.run(state: "state").swift == first.swift)
    }
}
