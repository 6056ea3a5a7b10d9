import Inference
import Testing

@Suite
struct SectionTests {
    @Test("the default leaves the last token to the receiver")
    func defaults() {
        #expect(
            Section.defaults(promptLength: 5, sharerCount: 2)
                == [Section(length: 4, sharerMask: 3), Section(length: 1, sharerMask: -1)])
        #expect(Section.defaults(promptLength: 1, sharerCount: 1) == [Section(length: 1, sharerMask: -1)])
        #expect(Section.defaults(promptLength: 3, sharerCount: 0) == [Section(length: 3, sharerMask: -1)])
    }

    @Test("the command line's form")
    func parse() throws {
        #expect(
            try Section.parse("12:1,5:-1")
                == [Section(length: 12, sharerMask: 1), Section(length: 5, sharerMask: -1)])
        for text in ["", "1", "1:", ":1", "1:1,", "a:1", "1:1:1", "1.5:1"] {
            #expect(throws: InferenceError.self) { try Section.parse(text) }
        }
    }
}
