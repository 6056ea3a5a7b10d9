import Foundation
import Testing

@Suite struct VariantTests {
    @Test func axesMultiplyInDeclaredOrder() throws {
        let header = "// Scales.\n// variant WEIGHT: F32 F16\n//\n// variant TILE: 8x8 4x1"
        let result = try Compilation(["scale.comp": shader(header: header), "a.comp": shader()]).run()
        #expect(result.messages == [])
        #expect(
            result.modules.map(\.key) == [
                "a", "scale WEIGHT=F32 TILE=8x8", "scale WEIGHT=F32 TILE=4x1", "scale WEIGHT=F16 TILE=8x8",
                "scale WEIGHT=F16 TILE=4x1",
            ])
        #expect(result.swift?.contains("variant: [\"WEIGHT\": \"F16\", \"TILE\": \"4x1\"]") == true)
    }

    @Test func macrosSayTheVariant() throws {
        let body = """
            #ifdef WEIGHT_F16
                values[0] = uintBitsToFloat(100 + ROWS);
            #endif
            #ifdef WEIGHT_F32
                values[0] = uintBitsToFloat(200 + ROWS);
            #endif
            #ifdef TILE
                TILE is not one token and must not be defined
            #endif
            #ifndef TILE_8x8
                TILE_8x8 must be defined
            #endif
            #define F32 7u
            #define F16 8u
                values[1] = uintBitsToFloat(300 + WEIGHT);
            """
        let header = "// variant WEIGHT: F32 F16\n// variant ROWS: 4 9\n// variant TILE: 8x8"
        let result = try Compilation(["a.comp": shader(header: header, body: body)]).run()
        #expect(result.messages == [])
        // The bits of the floats that are written.
        let expected: [[UInt32]] = [[204, 307], [209, 307], [104, 308], [109, 308]]
        #expect(result.modules.count == expected.count)
        for (module, values) in zip(result.modules, expected) {
            #expect(module.constants.filter { (100..<400).contains($0) }.sorted() == values, "\(module.key)")
        }
    }

    @Test(arguments: [
        ("// variant WEIGHT F32 F16", "malformed variant line"),
        ("// variants WEIGHT: F32 F16", "malformed variant line"),
        ("// Variant WEIGHT: F32 F16", "malformed variant line"),
        ("//variant weight: F32", "`weight` cannot name a variant's axis"),
        ("// variant 8X: F32", "`8X` cannot name a variant's axis"),
        ("// variant A__B: F32", "`A__B` cannot name a variant's axis"),
        ("// variant : F32", "`` cannot name a variant's axis"),
        ("// variant WEIGHT:", "axis WEIGHT has no values"),
        ("// variant WEIGHT: F32, F16", "`F32,` cannot be a value of WEIGHT"),
        ("// variant WEIGHT: F32 _F16", "`_F16` cannot be a value of WEIGHT"),
        ("// variant WEIGHT: F32 F16 F32", "axis WEIGHT has the value F32 twice"),
        ("// requires GL_EXT_mesh_shader", "malformed requires line"),
        ("// requires WEIGHT=F16: GL_EXT_mesh_shader", "`WEIGHT=F16` is not AXIS=VALUE"),
    ])
    func malformedHeaderIsAnErrorAtItsLine(line: String, complaint: String) throws {
        let result = try Compilation(["a.comp": shader(header: "// About.\n\(line)")]).run()
        #expect(result.status == 1)
        #expect(result.messages.count == 1)
        #expect(result.messages.first?.hasPrefix("Shaders/a.comp:2: error: \(complaint)") == true, "\(result.messages)")
    }

    @Test(arguments: [
        ("// variant A: X\n// variant A: Y", "axis A is declared twice"),
        ("// variant A: B_C\n// variant A_B: C", "axis A_B would define A_B_C"),
    ])
    func axesThatDoNotFitTogetherAreAnError(header: String, complaint: String) throws {
        let result = try Compilation(["a.comp": shader(header: header)]).run()
        #expect(result.status == 1)
        #expect(result.messages.first?.hasPrefix("Shaders/a.comp:2: error: \(complaint)") == true, "\(result.messages)")
    }

    @Test func tooManyVariantsAreAnError() throws {
        let values = (0..<1024).map(String.init).joined(separator: " ")
        let result = try Compilation(["a.comp": shader(header: "// variant A: \(values)\n// variant B: 1 2")]).run()
        #expect(result.status == 1)
        #expect(result.messages.first?.hasPrefix("Shaders/a.comp:2: error: axis B makes 2048 variants") == true)
    }

    @Test func declarationBelowTheHeaderIsAnError() throws {
        let result = try Compilation(["a.comp": shader(declarations: "// variant WEIGHT: F32 F16")]).run()
        #expect(result.status == 1)
        #expect(result.messages.first?.hasPrefix("Shaders/a.comp:5: error: stands below the header") == true)
    }

    @Test func errorOfAllVariantsIsSaidOnce() throws {
        let result = try Compilation([
            "a.comp": shader(header: "// variant N: 1 2 3", body: "values[0] = missing;")
        ]).run()
        #expect(result.status == 1)
        #expect(result.messages == ["Shaders/a.comp:7: error: 'missing' : undeclared identifier"])
    }

    @Test func errorOfSomeVariantsNamesTheFirst() throws {
        let body = "#ifndef N_1\n    values[0] = missing;\n#endif"
        let result = try Compilation(["a.comp": shader(header: "// variant N: 1 2 3", body: body)]).run()
        #expect(result.status == 1)
        #expect(result.messages == ["Shaders/a.comp:8: error: 'missing' : undeclared identifier [a N=2]"])
    }

    @Test func variantWithAnUnknownExtensionIsLeftOutWithANote() throws {
        let header = """
            // variant MATRIX: NONE NEW OLD
            // requires MATRIX=NEW: GL_XYZ_not_invented_yet
            // requires MATRIX=OLD: GL_EXT_shader_16bit_storage
            """
        let result = try Compilation(["a.comp": shader(header: header)]).run()
        #expect(result.status == 0)
        #expect(result.modules.map(\.key) == ["a MATRIX=NONE", "a MATRIX=OLD"])
        let note = "a MATRIX=NEW is left out, since this glslang does not know GL_XYZ_not_invented_yet"
        #expect(result.messages == ["Shaders/a.comp: note: \(note)"])
    }

    @Test func whatLeavesOutSeveralVariantsIsSaidOnce() throws {
        let header = """
            // variant WEIGHT: F32 F16
            // variant MATRIX: NONE NEW
            // requires MATRIX=NEW: GL_XYZ_not_invented_yet
            """
        let result = try Compilation(["a.comp": shader(header: header)]).run()
        #expect(result.modules.map(\.key) == ["a WEIGHT=F32 MATRIX=NONE", "a WEIGHT=F16 MATRIX=NONE"])
        let note = "a MATRIX=NEW is left out, since this glslang does not know GL_XYZ_not_invented_yet"
        #expect(result.messages == ["Shaders/a.comp: note: \(note)"])
    }
}
