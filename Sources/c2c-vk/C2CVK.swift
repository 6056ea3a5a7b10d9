import ArgumentParser
import Logging

/// The command line.
struct C2CVK: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "c2c-vk",
        abstract: "Lets language models talk to each other through their KV-caches, on any Vulkan device.",
        discussion: """
            A sharer model reads the prompt; a trained fuser projects its KV-cache into the receiver's; the receiver \
            answers. Exit codes: 0 well, 1 a check failed, 2 wrong use or bad input, 3 device or memory.
            """,
        version: "c2c-vk \(programVersion)",
        subcommands: [
            DevicesCommand.self, GenerateCommand.self, ChatCommand.self, VerifyCommand.self, BenchCommand.self,
            InspectCommand.self,
            TokenizeCommand.self, TemplateCommand.self, EvalCommand.self, DemoCommand.self, ManualCommand.self,
        ])
}

@main
enum Main {
    static func main() {
        StandardStreams.prepare()
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        do {
            try checkArguments()
            try Suggestion.checkCommand(Array(CommandLine.arguments.dropFirst()))
            var command = try C2CVK.parseAsRoot()
            try command.run()
        } catch {
            Failure.exit(error)
        }
    }

    /// Swift repairs what isn't UTF-8, which would change a prompt in silence.
    private static func checkArguments() throws {
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let argument = CommandLine.unsafeArgv[index], String(validatingCString: argument) == nil else {
                continue
            }
            throw UsageError("argument \(index) is not UTF-8; convert it first")
        }
    }
}
