import ArgumentParser
import Checkpoints

/// What somebody may have meant who wrote something that isn't there.
enum Suggestion {
    /// The candidate that is most like a text; nil where none is like it.
    static func nearest(to text: String, among candidates: [String]) -> String? {
        let text = text.lowercased()
        // More than a name's length: a prompt, or a whole file.
        guard !text.isEmpty, text.utf8.count <= 64 else { return nil }
        let words = Set(text.split(separator: "-"))
        let distances = candidates.map { candidate -> (name: String, distance: Int) in
            // --max-tokens for --max-new-tokens.
            let isWithin = words.count > 1 && words.isSubset(of: Set(candidate.split(separator: "-")))
            return (candidate, isWithin ? 1 : distance(text, candidate.lowercased()))
        }
        guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(1, min(text.count, best.name.count) / 3) ? best.name : nil
    }

    /// The least number of letters to insert, leave out, replace or swap with their neighbour that makes one text of the other
    /// (optimal string alignment).
    static func distance(_ first: String, _ second: String) -> Int {
        let (first, second) = (Array(first), Array(second))
        // The last three rows of the table; row i holds the distances of first's i letters to each beginning of second.
        var (beforeLast, last, current) = ([Int](), [Int](), Array(0...second.count))
        for i in first.indices {
            (beforeLast, last) = (last, current)
            current[0] = i + 1
            for j in second.indices {
                let replaced = last[j] + (first[i] == second[j] ? 0 : 1)
                current[j + 1] = min(replaced, last[j + 1] + 1, current[j] + 1)
                if i > 0, j > 0, first[i] == second[j - 1], first[i - 1] == second[j] {
                    current[j + 1] = min(current[j + 1], beforeLast[j - 1] + 1)
                }
            }
        }
        return current[second.count]
    }

    // MARK: Commands

    /// - Parameter arguments: what follows the program's name.
    /// - Throws: `UsageError` where the first argument, or the one after `help`, is to be a command and there is none of the name.
    static func checkCommand(_ arguments: [String]) throws {
        let commands = C2CVK.configuration.subcommands
        let names = commands.map { $0._commandName } + ["help"]
        guard let first = arguments.first, !first.hasPrefix("-") else { return }
        var asked = first
        if first == "help", arguments.count > 1, !arguments[1].hasPrefix("-") { asked = arguments[1] }
        guard !names.contains(asked) else { return }
        let listed = commands.filter { $0.configuration.shouldDisplay }.map { $0._commandName } + ["help"]
        let hint =
            nearest(to: asked.filter { !$0.isWhitespace }, among: listed).map { "did you mean \($0)? " } ?? ""
        throw UsageError("there is no command \(quoted(asked)); \(hint)`c2c-vk --help` lists those there are")
    }

    // MARK: Options

    /// What other programs call what is here.
    private static let otherNames = [
        "model": "receiver", "m": "receiver", "n-predict": "max-new-tokens", "max-length": "max-new-tokens",
        "ctx-size": "context", "max-model-len": "context", "dtype": "weights", "system-prompt": "system",
    ]

    /// The line for an option that a command doesn't have.
    ///
    /// - Parameters:
    ///   - option: with its dashes.
    ///   - arguments: what follows the program's name.
    static func unknownOption(_ option: String, in arguments: [String]) -> String {
        let command = C2CVK.configuration.subcommands.first { $0._commandName == arguments.first } ?? C2CVK.self
        let name = String(option.drop { $0 == "-" })
        let names = CommandDescription.of(command)?.optionNames ?? []
        let other = otherNames[name].flatMap { names.contains($0) ? $0 : nil }
        let hint = (other ?? nearest(to: name, among: names)).map { "; did you mean --\($0)?" } ?? ""
        let place = command == C2CVK.self ? "c2c-vk" : "c2c-vk \(command._commandName)"
        return
            "there is no option \(quoted(option))\(hint.isEmpty ? ";" : hint) `\(place) --help` lists those there are"
    }
}
