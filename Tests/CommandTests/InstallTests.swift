import Foundation
import Testing

/// `Tools/install.sh` with the program that is built already.
@Suite(.serialized)
struct InstallTests {
    private static let package = Program.fixtures.deletingLastPathComponent().deletingLastPathComponent()
    private static let files = [
        "bin/c2c-vk", "share/bash-completion/completions/c2c-vk", "share/zsh/site-functions/_c2c-vk",
        "share/fish/vendor_completions.d/c2c-vk.fish", "share/man/man1/c2c-vk.1",
    ]

    private func bash(_ command: String, _ environment: [String: String] = [:]) throws -> (status: Int32, text: String)
    {
        let outcome = try Program.run(
            ["-c", "cd '\(Self.package.path)' && \(command)"], environment: environment,
            executable: URL(filePath: "/bin/bash"))
        return (outcome.status, outcome.output + outcome.errors)
    }

    private func install(_ arguments: String, _ environment: [String: String] = [:]) throws -> (
        status: Int32, text: String
    ) {
        try bash(
            "Tools/install.sh \(arguments)", environment.merging(["C2C_VK_BINARY": Program.executable.path]) { $1 })
    }

    private func installed(in folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder).filter {
            !((try? URL(filePath: folder).appending(path: $0).resourceValues(forKeys: [.isDirectoryKey]).isDirectory)
                ?? true)
        }.sorted()
    }

    @Test("program, completions and manual page, twice, and away again")
    func install() throws {
        let folder = try TemporaryFolder()
        let prefix = folder.path("a b")
        for _ in 0..<2 {
            let outcome = try install("--prefix '\(prefix)'")
            #expect(outcome.status == 0 && outcome.text.contains("--uninstall"), "\(outcome.text)")
            #expect(try installed(in: prefix) == Self.files.sorted())
        }
        #expect(try bash("'\(prefix)/bin/c2c-vk' --version").text.contains("c2c-vk "))
        let manual = try String(contentsOfFile: "\(prefix)/share/man/man1/c2c-vk.1", encoding: .utf8)
        #expect(manual.hasPrefix(".TH C2C-VK 1"))
        #expect(try install("--uninstall --prefix '\(prefix)'").status == 0)
        #expect(try installed(in: prefix).isEmpty)
    }

    @Test("below another root, as packages are made")
    func stage() throws {
        let folder = try TemporaryFolder()
        let outcome = try install("--prefix=/usr", ["DESTDIR": folder.path("stage")])
        #expect(outcome.status == 0, "\(outcome.text)")
        #expect(try installed(in: folder.path("stage/usr")) == Self.files.sorted())
    }

    @Test("what can't be installed is said in one line, before anything is built")
    func refusals() throws {
        let folder = try TemporaryFolder()
        try Data().write(to: URL(filePath: folder.path("file")))
        for (arguments, words) in [
            ("--prefix '\(folder.path("file"))'", "can't be written"), ("--prefix", "needs a folder"),
            ("--prefx x", "--prefx"),
        ] {
            let outcome = try install(arguments)
            #expect(outcome.status == 2 && outcome.text.contains(words), "\(outcome.text)")
            #expect(outcome.text.split(separator: "\n").count == 1)
        }
    }

    /// What bash would offer after a line.
    private func completions(_ words: [String]) throws -> [String] {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("some-model"), withIntermediateDirectories: false)
        try Data().write(to: URL(filePath: folder.path("some-questions.jsonl")))
        try Data(try Program.run(["--generate-completion-script", "bash"]).output.utf8)
            .write(to: URL(filePath: folder.path("script")))
        let line = (["c2c-vk"] + words).map { "'\($0)'" }.joined(separator: " ")
        let outcome = try bash(
            """
            cd '\(folder.url.path)' && source ./script && COMP_WORDS=(\(line)) COMP_CWORD=\(words.count) \
            COMP_LINE="c2c-vk \(words.joined(separator: " "))" && COMP_POINT=${#COMP_LINE} && COMP_TYPE=9 COMP_KEY=9
            "$(complete -p c2c-vk | sed 's/.*-F \\([^ ]*\\) .*/\\1/')" c2c-vk '\(words.last ?? "")' '\(words.dropLast().last ?? "c2c-vk")'
            printf '%s\\n' "${COMPREPLY[@]}"
            """)
        #expect(outcome.status == 0, "\(outcome.text)")
        return outcome.text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    @Test("bash completes commands, options and values, and leaves paths to the shell")
    func completion() throws {
        #expect(try completions(["ev"]) == ["eval"])
        #expect(try completions(["eval", "--mo"]) == ["--modes"])
        #expect(try Set(completions(["generate", "--mode", ""])) == ["c2c", "receiver", "sharer", "text"])
        #expect(try completions(["generate", "--receiver", "some"]) == ["some-model"])
        #expect(try completions(["inspect", "some"]) == ["some-model"])
        #expect(try completions(["eval", "--questions", "some"]).contains("some-questions.jsonl"))
    }
}
