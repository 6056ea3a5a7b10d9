import Foundation

/// The manual page, for `man`, made from what the commands themselves say: see man(7) for the macros.
struct ManualPage {
    private let program: CommandDescription

    init(_ program: CommandDescription) {
        self.program = program
    }

    var text: String {
        var lines = [
            #".TH C2C-VK 1 "" "\#(programVersion)" "User Commands""#,
            ".SH NAME", "c2c\\-vk \\- " + Self.escaped(Self.sentence(program.abstract ?? "")),
            ".SH SYNOPSIS", ".B c2c\\-vk", ".I command", "[options]",
            ".SH DESCRIPTION",
        ]
        lines += Self.paragraphs(program.discussion)
        lines += [".SH COMMANDS"]
        for command in commands { lines += section(command) }
        lines += [".SH OPTIONS", "Behind each option are the commands that take it.", ""]
        for option in options { lines += option.lines }
        lines += [".SH EXIT STATUS"]
        for (status, meaning) in Self.exitStatuses { lines += [".TP", ".B \(status)", Self.escaped(meaning)] }
        lines += [".SH ENVIRONMENT"]
        for (names, meaning) in Self.environment { lines += [".TP", ".B \(names)", Self.escaped(meaning)] }
        lines += [".SH FILES"]
        for (path, meaning) in Self.files { lines += [".TP", ".I \(Self.escaped(path))", Self.escaped(meaning)] }
        lines += [".SH EXAMPLES"]
        for (command, meaning) in Self.examples {
            lines += [".TP", ".B \(Self.escaped(command))", Self.escaped(meaning)]
        }
        lines += [
            ".SH SEE ALSO",
            "Cache-to-Cache: Direct Semantic Communication Between Large Language Models, arXiv 2510.03215",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    private var commands: [CommandDescription] {
        (program.subcommands ?? []).filter { ($0.shouldDisplay ?? true) && $0.commandName != "help" }
    }

    // MARK: Commands

    private func section(_ command: CommandDescription) -> [String] {
        let arguments = (command.arguments ?? []).filter { $0.shouldDisplay && $0.kind == .positional }
        let synopsis = arguments.map { argument in
            let name = "\\fI" + Self.escaped(argument.valueName ?? "value") + "\\fR"
            return argument.isOptional ? "[\(name)]" : name
        }
        var lines = [
            ".SS \(command.commandName)",
            (["\\fBc2c\\-vk \(command.commandName)\\fR", "[options]"] + synopsis).joined(separator: " "), ".PP",
            Self.escaped(command.abstract ?? ""),
        ]
        lines += Self.paragraphs(command.discussion)
        for argument in arguments {
            lines += [
                ".TP", ".I \(Self.escaped(argument.valueName ?? "value"))", Self.escaped(argument.abstract ?? ""),
            ]
        }
        return lines
    }

    // MARK: Options

    private struct Option {
        var names: String
        var text: String
        var commands: [String]

        var lines: [String] {
            [".TP", names, text + " (" + commands.joined(separator: ", ") + ")"]
        }
    }

    /// Each option once, with all commands that take it; twice where it means another thing in another command.
    private var options: [Option] {
        var options: [Option] = []
        for command in commands {
            for argument in command.arguments ?? [] where argument.shouldDisplay && argument.kind != .positional {
                let names = (argument.names ?? []).map { "\\fB" + Self.escaped($0.text) + "\\fR" }
                let value =
                    argument.kind == .option ? " \\fI" + Self.escaped(argument.valueName ?? "value") + "\\fR" : ""
                let option = Option(
                    names: names.joined(separator: ", ") + value, text: Self.escaped(Self.text(argument)),
                    commands: [command.commandName])
                if let index = options.firstIndex(where: { $0.names == option.names && $0.text == option.text }) {
                    options[index].commands.append(command.commandName)
                } else {
                    options.append(option)
                }
            }
        }
        return options.sorted { $0.names < $1.names }
    }

    private static func text(_ argument: CommandDescription.Argument) -> String {
        let standard = argument.defaultValue.map { " Default: \($0)." } ?? ""
        return (argument.abstract ?? "") + standard
    }

    // MARK: What commands don't say of themselves

    private static let exitStatuses = [
        ("0", "All went well."), ("1", "A check ran and did not hold: verify."),
        ("2", "Wrong use or bad input; one line on standard error says what, where and how to mend it."),
        ("3", "No device, or not enough memory."), ("130", "Interrupted by Ctrl-C."),
    ]

    private static let environment = [
        ("C2C_VK_DEVICE", "The device that is used without --device."),
        ("C2C_VK_VALIDATION", "1 turns the Khronos validation layers on."),
        ("C2C_VK_HISTORY", "off keeps nothing of what is typed in chat."),
        ("HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME", "Where models are looked for that are named as ORG/REPO."),
        ("XDG_CACHE_HOME, HOME", "Where the program's own cache is, and that of Hugging Face unless said."),
        ("XDG_STATE_HOME", "Where the history of chat is kept. Default: ~/.local/state."),
        ("TERM", "Where it is dumb or absent, chat reads plain lines."),
        ("VK_DRIVER_FILES, VK_ICD_FILENAMES", "Which Vulkan drivers there are, as for every Vulkan program."),
    ]

    private static let files = [
        (
            "~/.cache/c2c-vk",
            "Compiled kernels for each device and driver, and the embedded pair; it may be deleted. Without it, the first "
                + "answer waits until kernels are compiled."
        ),
        ("~/.cache/huggingface/hub", "Models and fusers that `hf download` got."),
        ("~/.local/state/c2c-vk/chat-history", "What was typed in chat; only its owner can read it."),
    ]

    private static let examples = [
        ("c2c-vk demo", "Shows cache-to-cache communication on the embedded pair."),
        (
            "c2c-vk generate --receiver Qwen/Qwen3-0.6B --sharer Qwen/Qwen2.5-0.5B-Instruct --fuser "
                + "nics-efc/C2C_Fuser/qwen3_0.6b+qwen2.5_0.5b_Fuser \"Why is the sky blue?\"",
            "Asks a pair of published models."
        ),
    ]

    // MARK: Text

    /// Without its last full stop, and with a small first letter, as NAME sections have it.
    private static func sentence(_ text: String) -> String {
        let text = text.hasSuffix(".") ? String(text.dropLast()) : text
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    private static func paragraphs(_ text: String?) -> [String] {
        (text ?? "").components(separatedBy: "\n\n").filter { !$0.isEmpty }.flatMap { [".PP", escaped($0)] }
    }

    /// What `man` shows as it is.
    private static func escaped(_ text: String) -> String {
        text.split(separator: "\n").map { line in
            let plain = line.replacing("\\", with: "\\e").replacing("-", with: "\\-")
            return plain.hasPrefix(".") || plain.hasPrefix("'") ? "\\&" + plain : plain
        }.joined(separator: "\n")
    }
}
