import Evaluation
import Foundation
import Testing

@Suite struct FingerprintTests {
    /// The examples of FIPS 180-4, and lengths around a block's end, as sha256sum has them.
    @Test(
        "SHA-256 is the standard's",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (String(repeating: "a", count: 55), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
            (String(repeating: "a", count: 56), "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"),
            (String(repeating: "a", count: 64), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
        ])
    func digest(text: String, digits: String) {
        var hash = SHA256()
        hash.update(Array(text.utf8))
        #expect(hash.hexadecimal() == digits)
    }

    @Test("Questions have other fingerprints where anything that is asked differs")
    func questions() {
        let question = EvaluationQuestion(id: "1", question: "q", choices: ["a", "b"], expected: .choice(0))
        var others = [question, question, question, question]
        others[0].id = "2"
        others[1].choices = ["a", "c"]
        others[2].expected = .choice(1)
        others[3].namedLetters = 4
        let prints = Set(([question] + others).map { Fingerprint.of([$0]) })
        #expect(prints.count == 5)
        #expect(Fingerprint.of([question, others[0]]) != Fingerprint.of([others[0], question]))
        #expect(Fingerprint.of([question]) == Fingerprint.of([question]))
    }

    @Test("A directory's fingerprint sees changes at a large file's start, middle and end, and other names")
    func directories() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "model.safetensors")
        var prints: Set<String> = []
        let size = 1 << 18
        for place in [nil, 0, size - 1] as [Int?] {
            var bytes = Data(count: size)
            if let place { bytes[place] = 1 }
            try bytes.write(to: file)
            prints.insert(try Fingerprint.of(directory: folder.path))
        }
        // Trained on.
        try Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) }).write(to: file)
        prints.insert(try Fingerprint.of(directory: folder.path))
        try Data("{}".utf8).write(to: folder.appending(path: "config.json"))
        prints.insert(try Fingerprint.of(directory: folder.path))
        #expect(prints.count == 5)
        let before = try Fingerprint.of(directory: folder.path)
        try Data("notes".utf8).write(to: folder.appending(path: "README.md"))
        #expect(try Fingerprint.of(directory: folder.path) == before)
    }
}
