import Foundation
import Testing

/// What standard error shows while something takes its time.
@Suite(.serialized, .enabled(if: PseudoTerminal.isAvailable, "needs pseudo-terminals and setsid"))
struct ProgressTests {
    /// What stood on the terminal's line at one time or another.
    private func lines(_ transcript: String) -> [Substring] {
        transcript.split { $0 == "\r" || $0 == "\n" || $0 == "\r\n" }
    }

    @Test("Progress stays on one line of the terminal, however narrow, and says the time that is left")
    func width() throws {
        for (columns, environment) in [(40, [:]), (40, ["NO_COLOR": "1"]), (12, [:]), (200, ["TERM": "dumb"])] {
            let terminal = try PseudoTerminal(
                ["eval", "--limit", "60", "--modes", "receiver,sharer,text", "--json"], columns: columns,
                environment: environment)
            #expect(terminal.exitCode() == 0)
            let shown = lines(terminal.transcript).filter { $0.contains(" of 180") && !$0.contains("{") }
            #expect(!shown.isEmpty)
            #expect(shown.allSatisfy { $0.count < columns }, "\(shown.filter { $0.count >= columns })")
            #expect(columns < 40 || shown.contains { $0.contains(" left") }, "\(shown)")
            #expect(columns < 200 || shown.contains { $0.contains("sharer") && $0.contains("[#") }, "\(shown)")
            // Only carriage returns and spaces: no line is begun, and no code sent that a terminal might not know.
            #expect(!terminal.transcript.contains("\u{1B}"))
            let progress = terminal.transcript.prefix { $0 != "{" }
            #expect(!progress.contains("\n") && !progress.contains("\r\n"))
        }
    }

    @Test("A terminal that changes its width while something is shown")
    func resize() throws {
        let terminal = try PseudoTerminal(
            ["eval", "--limit", "150", "--modes", "receiver,sharer,text", "--json"], columns: 100)
        #expect(terminal.waitFor("[#"))
        terminal.resize(columns: 30)
        usleep(400_000)
        let before = terminal.transcript.count
        #expect(terminal.waitFor(" left"))
        #expect(terminal.exitCode() == 0)
        let after = lines(String(terminal.transcript.dropFirst(before))).filter { !$0.contains("{") }
        #expect(after.count > 2 && after.dropFirst().allSatisfy { $0.count < 30 }, "\(after)")
    }

    @Test("Nothing is shown where standard error is no terminal")
    func noTerminal() throws {
        let outcome = try Program.run(["eval", "--limit", "60", "--modes", "receiver,sharer,text", "--json"])
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
    }
}
