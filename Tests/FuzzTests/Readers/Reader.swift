import Chat
import Checkpoints
import Evaluation
import JSON
import Jinja
import ModelLoading
import Tokenization

/// The readers of files that come from strangers, as the fuzzer and the tests call them.
package enum Reader: String, CaseIterable, Sendable {
    case safetensors
    case torch
    case config
    case tokenizer
    case jinja
    case json
    case questions

    /// Reads `bytes` as the program does, and uses what was read. Refusing them is as good as reading them.
    ///
    /// Some readers look at several files: a first line that is one of their names says which one the other bytes are.
    ///
    /// - Throws: `BrokenPromise` where the reader did neither properly.
    package func examine(_ bytes: [UInt8]) throws {
        do {
            try read(bytes)
        } catch let broken as BrokenPromise {
            throw broken
        } catch {
            try Self.check(error)
        }
    }

    private func read(_ bytes: [UInt8]) throws {
        switch self {
        case .safetensors: try SafetensorsReader.read(bytes)
        case .torch: try TorchReader.read(bytes)
        case .config: try ConfigReader.read(bytes)
        case .tokenizer: try TokenizerReader.read(bytes)
        case .jinja: try JinjaReader.read(bytes)
        case .json: try JSONReader.read(bytes)
        case .questions: try QuestionReader.read(bytes)
        }
    }

    /// Errors are the modules' own: the program says them on one line, and knows their exit codes.
    private static func check(_ error: any Error) throws {
        switch error {
        case is CheckpointError, is LoadingError, is JSONError, is JinjaError, is TokenizationError,
            is EvaluationError, is ChatError:
            guard !"\(error)".isEmpty else { throw BrokenPromise("an error that says nothing") }
        default: throw BrokenPromise("an error of another kind: \(type(of: error)), \(error)")
        }
    }
}

/// What a reader did though it must not.
package struct BrokenPromise: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
