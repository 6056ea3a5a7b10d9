import ArgumentParser

/// For Tools/install.sh; not listed.
struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual", abstract: "Prints the manual page.", shouldDisplay: false)

    func run() throws {
        guard let program = CommandDescription.of(C2CVK.self) else {
            throw UsageError("this version of swift-argument-parser describes commands in another form")
        }
        try Output.write(ManualPage(program).text)
    }
}
