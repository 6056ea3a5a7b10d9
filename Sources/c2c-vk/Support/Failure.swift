import ArgumentParser
import Chat
import Checkpoints
import DemoPair
import Evaluation
import Foundation
import Inference
import JSON
import Jinja
import ModelLoading
import OutputFiles
import Tokenization
import VulkanCompute

/// Something wrong with how the program was called.
struct UsageError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A check that ran and did not hold.
struct CheckFailed: Error, CustomStringConvertible {
    var description: String
}

/// How the program ends when something is thrown: one line on standard error, and an exit code.
enum Failure {
    static func exit(_ error: any Error) -> Never {
        // Said already, such as that Ctrl-C came.
        if let code = error as? ExitCode { Foundation.exit(code.rawValue) }
        var error = error
        // Help and version come as errors too.
        if C2CVK.exitCode(for: error) == .success {
            do {
                try Output.line(C2CVK.fullMessage(for: error))
                Foundation.exit(0)
            } catch let failure {
                error = failure
            }
        }
        let (code, message) = describe(error)
        Output.remark("error: \(oneLine(message))")
        Foundation.exit(code)
    }

    /// What went wrong, on one line.
    static func message(for error: any Error) -> String { oneLine(describe(error).message) }

    private static func describe(_ error: any Error) -> (code: Int32, message: String) {
        switch error {
        case let error as VulkanError: (3, error.description)
        case let error as CheckFailed: (1, error.description)
        case let error as UsageError: (2, error.description)
        case let error as OutputError: (2, error.description)
        case let error as OutputFileError: (2, error.description)
        case let error as InferenceError: (2, error.description)
        case let error as CheckpointError: (2, error.description)
        case let error as LoadingError: (2, error.description)
        case let error as TokenizationError: (2, error.description)
        case let error as JinjaError: (2, error.description)
        case let error as JSONError: (2, error.description)
        case let error as ChatError: (2, error.description)
        case let error as EvaluationError: (2, error.description)
        case let error as DemoPairError: (2, error.description)
        // What is left comes from the parser of arguments, whose text for people is not the description.
        default: (2, argumentMessage(C2CVK.message(for: error)))
        }
    }

    /// What the parser of arguments says, but with another guess at what an unknown option was to be: its own takes --seed for
    /// --hepl, and knows no other program's names.
    private static func argumentMessage(_ text: String) -> String {
        guard let option = text.firstMatch(of: /^Unknown option '([^']+)'/)?.1 else { return text }
        return Suggestion.unknownOption(String(option), in: Array(CommandLine.arguments.dropFirst()))
    }

    /// Messages quote files from strangers: what is in them neither moves the terminal's cursor nor fills its screen.
    private static func oneLine(_ text: String) -> String {
        let limit = 4000
        var line = ""
        for scalar in text.unicodeScalars.prefix(limit) {
            switch scalar {
            case "\n", "\r", "\u{2028}", "\u{2029}": line += line.hasSuffix(" ") ? "" : " "
            case _ where scalar.properties.generalCategory == .control:
                line += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: line.unicodeScalars.append(scalar)
            }
        }
        return text.unicodeScalars.count > limit ? line + "…" : line
    }
}
