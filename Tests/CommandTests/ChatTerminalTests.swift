import Foundation
import Testing

/// A chat as a person has it, in a terminal.
@Suite(.serialized, .enabled(if: PseudoTerminal.isAvailable, "needs pseudo-terminals and setsid"))
struct ChatTerminalTests {
    private let folder: TemporaryFolder
    private let environment: [String: String]

    init() throws {
        folder = try TemporaryFolder()
        environment = ["XDG_STATE_HOME": folder.path("state"), "C2C_VK_HISTORY": ""]
    }

    private func chat(_ flags: [String] = [], _ environment: [String: String] = [:]) throws -> PseudoTerminal {
        try PseudoTerminal(
            ["chat", "--mode", "receiver", "--max-new-tokens", "3"] + flags,
            environment: self.environment.merging(environment) { $1 })
    }

    /// What a person has said, by the file that `/save` wrote.
    private func saved(_ name: String) throws -> [String] {
        let file = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: folder.path(name))))
        let messages = try #require((file as? [String: Any])?["messages"] as? [[String: String]])
        return messages.filter { $0["role"] == "user" }.compactMap { $0["content"] }
    }

    private var history: String { folder.path("state/c2c-vk/chat-history") }

    @Test("A pasted text is one message; a slash twice begins one; what is typed ahead is asked in turn")
    func messages() throws {
        let terminal = try chat()
        // While the models are still loading.
        terminal.send("typed ahead\n")
        #expect(terminal.waitFor("\u{1B}[?2004h") && terminal.waitFor("> typed ahead"))
        terminal.send("\u{1B}[200~one\rtwo\rthree\u{1B}[201~\r")
        terminal.send("//usr/bin is a folder\rnext \u{1F469}\u{200D}\u{1F467}\u{7F}\u{1F469}\u{200D}\u{1F467}!\r")
        terminal.send("/save \(folder.path("talk"))\r/quit\r")
        #expect(terminal.exitCode() == 0)
        // Others may write after it, as the program that started it.
        let lastMode = terminal.transcript.range(of: "\u{1B}[?2004", options: .backwards)
        #expect(lastMode.map { terminal.transcript[$0.upperBound...].hasPrefix("l") } == true)
        #expect(
            try saved("talk") == [
                "typed ahead", "one\ntwo\nthree", "/usr/bin is a folder", "next \u{1F469}\u{200D}\u{1F467}!",
            ])
    }

    @Test("What was typed is there in the next chat, in a file that nobody else reads")
    func keptHistory() throws {
        let first = try chat()
        #expect(first.waitFor("> "))
        first.send("\u{1B}[200~of two\rlines\u{1B}[201~\r/help\r\u{04}")
        #expect(first.exitCode() == 0)
        var status = stat()
        #expect(stat(history, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(try String(contentsOfFile: history, encoding: .utf8) == "\"of two\\nlines\"\n\"/help\"\n")
        let second = try chat()
        #expect(second.waitFor("> "))
        second.send("\u{1B}[A\u{1B}[A\r/save \(folder.path("talk"))\r\u{04}")
        #expect(second.exitCode() == 0)
        #expect(try saved("talk") == ["of two\nlines"])
    }

    @Test("No history is kept where that is not wanted, and none that grows without bounds")
    func boundedHistory() throws {
        for (flags, environment) in [(["--no-history"], [:]), ([], ["C2C_VK_HISTORY": "off"])] {
            let terminal = try chat(flags, environment)
            #expect(terminal.waitFor("> "))
            terminal.send("/help\r\u{04}")
            #expect(terminal.exitCode() == 0)
            #expect(!FileManager.default.fileExists(atPath: history))
        }
        try FileManager.default.createDirectory(
            atPath: folder.path("state/c2c-vk"), withIntermediateDirectories: true)
        let lines = (0..<3000).map { "\"entry \($0)\"\n" }.joined() + "\"cut off"
        try Data(lines.utf8).write(to: URL(filePath: history))
        #expect(chmod(history, 0o644) == 0)
        let terminal = try chat()
        #expect(terminal.waitFor("> "))
        terminal.send("/help\r\u{04}")
        #expect(terminal.exitCode() == 0)
        let kept = try String(contentsOfFile: history, encoding: .utf8).split(separator: "\n")
        #expect(kept.count == 501 && kept.first == "\"entry 2500\"" && kept.last == "\"/help\"")
        var status = stat()
        #expect(stat(history, &status) == 0 && status.st_mode & 0o777 == 0o600)
    }

    @Test("Ctrl-C takes back what is typed")
    func takenBack() throws {
        let terminal = try chat()
        #expect(terminal.waitFor("> "))
        terminal.send("never sent")
        #expect(terminal.waitFor("> never sent"))
        terminal.send("\u{03}")
        #expect(terminal.waitFor("\r\n\r\u{1B}[J> "))
        terminal.send("/save \(folder.path("talk"))\r")
        terminal.send("/quit\r")
        #expect(terminal.exitCode() == 0)
        #expect(try saved("talk").isEmpty)
    }

    @Test("A dumb terminal gets no codes, and its lines are messages all the same")
    func dumb() throws {
        let terminal = try chat([], ["TERM": "dumb"])
        #expect(terminal.waitFor("> "))
        terminal.send("one \\\rtwo\r/save \(folder.path("talk"))\r\u{04}")
        #expect(terminal.exitCode() == 0)
        #expect(!terminal.transcript.contains("\u{1B}"))
        #expect(try saved("talk") == ["one \ntwo"])
    }
}

/// Ctrl-C while a prompt of several runs is read, by the reference, which takes a second for it where it is optimised.
@Suite(
    .serialized, .enabled(if: PseudoTerminal.isAvailable, "needs pseudo-terminals and setsid"),
    .enabled(if: Program.isOptimised, "takes minutes in a debug build"))
struct InterruptedChatTests {
    private static let question = "Where does Mira Falk live?"
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// A chat that is reading a long prompt.
    private func reading() throws -> PseudoTerminal {
        let terminal = try chat()
        let long = String(repeating: Self.question + " ", count: 140)
        terminal.send("\u{1B}[200~\(long)\u{1B}[201~\r")
        #expect(terminal.waitFor("reading the prompt [") && terminal.waitFor(" of 19"))
        return terminal
    }

    private func chat() throws -> PseudoTerminal {
        let terminal = try PseudoTerminal(
            [
                "chat", "--mode", "receiver", "--receiver", Program.fixture("golden/qwen3_from_llama_aligned/receiver"),
                "--device", "cpu", "--max-new-tokens", "3", "--no-history",
            ])
        #expect(terminal.waitFor("> "))
        return terminal
    }

    @Test("It ends the answer, and the next one is right")
    func once() throws {
        let terminal = try reading()
        terminal.send("\u{03}")
        #expect(terminal.waitFor("stopping"))
        #expect(terminal.waitFor("interrupted while the prompt was read; nothing was answered"))
        terminal.send("\(Self.question)\r/save \(folder.path("talk"))\r/quit\r")
        #expect(terminal.exitCode() == 0)
        let fresh = try chat()
        fresh.send("\(Self.question)\r/save \(folder.path("fresh"))\r/quit\r")
        #expect(fresh.exitCode() == 0)
        #expect(
            try Data(contentsOf: URL(filePath: folder.path("talk")))
                == Data(contentsOf: URL(filePath: folder.path("fresh"))))
    }

    @Test("A second one ends the program, and leaves the terminal as it was")
    func twice() throws {
        let terminal = try reading()
        terminal.send("\u{03}")
        #expect(terminal.waitFor("stopping"))
        terminal.send("\u{03}")
        let code = try #require(terminal.exitCode(seconds: 20))
        #expect(code != 0)
        #expect(!terminal.transcript.contains("interrupted"))
        // Others may write after it, as the program that started it.
        let lastMode = terminal.transcript.range(of: "\u{1B}[?2004", options: .backwards)
        #expect(lastMode.map { terminal.transcript[$0.upperBound...].hasPrefix("l") } == true)
    }

    @Test("generate shows it as well")
    func generate() throws {
        let terminal = try PseudoTerminal(
            [
                "generate", "--receiver", Program.fixture("golden/qwen3_from_llama_aligned/receiver"), "--device",
                "cpu",
                "--max-new-tokens", "1", String(repeating: Self.question + " ", count: 140),
            ])
        #expect(terminal.waitFor("reading the prompt [") && terminal.waitFor("/s"))
        #expect(terminal.exitCode() == 0)
    }
}

/// A conversation that the context has no room for, through a pipe.
@Suite(.serialized)
struct FullContextTests {
    private static let flags = ["chat", "--mode", "receiver", "--max-new-tokens", "4", "--context", "64"]
    private static let talk = (1...6).map { "Where does person number \($0) live today?" }.joined(separator: "\n")

    @Test("It is said how to go on")
    func stop() throws {
        let outcome = try Program.run(Self.flags, input: Self.talk)
        #expect(outcome.status == 2, "\(outcome.errors)")
        for words in ["more than the context of 64", "/drop", "/reset", "--context-full drop", "--context N"] {
            #expect(outcome.errors.contains(words), "\(outcome.errors)")
        }
        #expect(outcome.errors.split(separator: "\n").count == 1)
        let long = try Program.run(Self.flags, input: String(repeating: "long ", count: 90))
        #expect(long.status == 2 && long.errors.contains("the message makes a prompt of"), "\(long.errors)")
        let word = try Program.run(Self.flags + ["--context-full", "other"], input: "Hi")
        #expect(word.status == 2)
    }

    @Test("With --context-full drop the oldest turns are forgotten, and so with /drop")
    func drop() throws {
        let folder = try TemporaryFolder()
        let outcome = try Program.run(
            Self.flags + ["--context-full", "drop"], input: Self.talk + "\n/save \(folder.path("talk"))\n/drop 99\n")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.split(separator: "\n").count == 6)
        #expect(outcome.errors.contains("forgotten to make room") && outcome.errors.contains("0 turns left"))
        let saved = String(decoding: try Data(contentsOf: URL(filePath: folder.path("talk"))), as: UTF8.self)
        #expect(saved.contains("number 6") && !saved.contains("number 1 "))
    }
}
