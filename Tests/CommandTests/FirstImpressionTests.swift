import Foundation
import Testing

/// What a newcomer tries first.
@Suite(.serialized)
struct FirstImpressionTests {
    /// The file of this name at the top of the package.
    private func packageFile(_ name: String) throws -> String {
        let package = Program.fixtures.deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: package.appending(path: name), encoding: .utf8)
    }

    @Test("--version is the changelog's newest")
    func version() throws {
        let outcome = try Program.run(["--version"])
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        let changes = try packageFile("CHANGELOG.md")
        let newest = try #require(changes.firstMatch(of: /\n## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d\n/))
        #expect(outcome.output == "c2c-vk \(newest.1)\n")
    }

    @Test(
        "an unknown command is told the nearest one",
        arguments: [
            ("generat", "did you mean generate?"), ("evall", "did you mean eval?"), ("device", "did you mean devices?"),
            ("Bench", "did you mean bench?"), ("tokenise", "did you mean tokenize?"),
            ("verifiy", "did you mean verify?"),
            ("eval ", "did you mean eval?"), ("hlep", "did you mean help?"),
        ])
    func nearestCommand(_ given: String, _ words: String) throws {
        try Program.expectFailure([given, "hello", "--temperature", "1"], says: ["'\(given)'", words])
        if given != "hlep" {
            try Program.expectFailure(["help", given], says: ["'\(given)'", words])
        }
    }

    @Test("an unknown command that is like none is told where they are listed")
    func unlikeAnyCommand() throws {
        try Program.expectFailure(["xyzzy"], says: ["'xyzzy'", "c2c-vk --help"])
        try Program.expectFailure([""], says: ["''", "c2c-vk --help"])
        try Program.expectFailure(["What is a KV-cache?"], says: ["c2c-vk --help"])
        let long = String(repeating: "x", count: 100_000)
        let outcome = try Program.run([long])
        #expect(outcome.status == 2 && outcome.errors.utf8.count < 300)
    }

    @Test("an unknown option is told the nearest one")
    func nearestOption() throws {
        try Program.expectFailure(["eval", "--mdoes", "c2c"], says: ["--mdoes", "--modes"])
        try Program.expectFailure(["eval", "--mode", "c2c"], says: ["--mode", "--modes"])
        try Program.expectFailure(["generate", "--max-tokens", "4", "Hi"], says: ["--max-new-tokens"])
        try Program.expectFailure(["generate", "--model", "x", "Hi"], says: ["--receiver"])
        try Program.expectFailure(["chat", "--hepl"], says: ["--help"])
        try Program.expectFailure(["--verison"], says: ["--version"])
    }

    @Test("tests rely on no path outside of their own folders")
    func testPaths() throws {
        let tests = Program.fixtures.deletingLastPathComponent()
        let files = try #require(FileManager.default.enumerator(at: tests, includingPropertiesForKeys: nil))
        // Spelt so that it isn't found here.
        let path = "\"/" + "nonexistent"
        for case let file as URL in files where file.pathExtension == "swift" {
            #expect(try !String(contentsOf: file, encoding: .utf8).contains(path), "\(file.lastPathComponent)")
        }
    }

    @Test("bench without arguments measures the embedded pair, and says so")
    func benchAlone() throws {
        let outcome = try Program.run(["bench", "-r", "1", "--json"])
        #expect(outcome.status == 0 && outcome.errors.contains("embedded pair"), "\(outcome.errors)")
        let report = try outcome.json()
        #expect(report["model"] as? String == "the embedded pair")
        let tests = (report["rows"] as? [[String: Any]])?.compactMap { $0["test"] as? String }
        // Half and a quarter of its 512 tokens.
        #expect(tests?.prefix(2) == ["pp256", "tg128"] && tests?.contains("c2c ttft256") == true)
        // A device's limits alone are no reason to load models; lengths are.
        let limits = try Program.run(["bench", "--device-limits", "-p", "4", "-n", "1", "-r", "1", "--json"]).json()
        #expect(limits["rows"] != nil && limits["device_limits"] != nil)
    }

    @Test("the manual page has every command, every option and every variable of the environment that is read")
    func manual() throws {
        let page = try Program.run(["manual"])
        #expect(page.status == 0 && page.errors.isEmpty)
        let text = page.output.replacing("\\-", with: "-")
        for section in ["SYNOPSIS", "COMMANDS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"] {
            #expect(text.contains("\n.SH \(section)\n"))
        }
        for command in [
            "devices", "generate", "chat", "verify", "bench", "inspect", "tokenize", "template", "eval", "demo",
        ] {
            #expect(text.contains("\n.SS \(command)\n"))
            let help = try Program.run([command, "--help"]).output
            for option in help.matches(of: /\n  (?:-\w, )?(--[a-z-]+)/) {
                #expect(text.contains("\\fB\(option.1)\\fR"), "\(command) \(option.1)")
            }
        }
        let sources = Program.fixtures.deletingLastPathComponent().deletingLastPathComponent().appending(
            path: "Sources")
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        var names: Set<String> = []
        for case let file as URL in files where file.pathExtension == "swift" {
            let source = try String(contentsOf: file, encoding: .utf8)
            names.formUnion(source.matches(of: /environment\["([A-Z_0-9]+)"\]/).map { String($0.1) })
        }
        #expect(names.contains("C2C_VK_DEVICE"))
        for name in names { #expect(text.contains(name), "\(name)") }
        #expect(try !Program.run(["--help"]).output.contains("manual"))
    }

    @Test("README's example of --sections fits its question")
    func sectionsInReadme() throws {
        let readme = try packageFile("README.md")
        let example = try #require(
            readme.firstMatch(of: /`c2c-vk generate --sections "([-0-9:,]+)" "([^"]+)"`/))
        let outcome = try Program.run(["generate", "--sections", String(example.1), String(example.2)])
        #expect(outcome.status == 0 && outcome.output == "Erik Drusk works as a singer.\n", "\(outcome.errors)")
    }
}
