import ArgumentParser
import Foundation

/// A command and its options, as the parser of arguments describes them for programs.
struct CommandDescription: Decodable {
    struct Argument: Decodable {
        enum Kind: String, Decodable {
            case positional, option, flag
        }

        struct Name: Decodable {
            enum Kind: String, Decodable {
                case long, short, longWithSingleDash
            }

            var kind: Kind
            var name: String

            /// With its dashes.
            var text: String { (kind == .long ? "--" : "-") + name }
        }

        var kind: Kind
        var shouldDisplay: Bool
        var isOptional: Bool
        var isRepeating: Bool
        var names: [Name]?
        var valueName: String?
        var defaultValue: String?
        var abstract: String?
        var discussion: String?
    }

    var commandName: String
    var shouldDisplay: Bool?
    var abstract: String?
    var discussion: String?
    var subcommands: [CommandDescription]?
    var arguments: [Argument]?

    private struct Dump: Decodable {
        var command: CommandDescription
    }

    /// - Returns: nil if the parser's description is in another form than this one.
    static func of(_ command: any ParsableCommand.Type) -> CommandDescription? {
        try? JSONDecoder().decode(Dump.self, from: Data(command._dumpHelp().utf8)).command
    }

    /// Those of its options that are words, without their dashes.
    var optionNames: [String] {
        (arguments ?? []).filter(\.shouldDisplay).flatMap { $0.names ?? [] }.filter { $0.kind == .long }.map(\.name)
    }
}
