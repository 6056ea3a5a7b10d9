/// The words of LaTeX's mathematics.
enum LaTeXToken: Equatable {
    /// Digits, with a decimal point or without.
    case number(String)
    case letter(Character)
    /// A command with its backslash, such as `\frac`; also `\{` and the like.
    case command(String)
    /// The name in `\text{...}` and its kin, and in accents such as `\bar{...}`.
    case named(String)
    case mark(Character)

    /// - Returns: nil where something has no meaning in mathematics.
    static func all(in text: String) -> [LaTeXToken]? {
        var tokens: [LaTeXToken] = []
        var rest = Array(text)[...]
        func group() -> String? {
            rest = rest.drop(while: \.isWhitespace)
            guard rest.first == "{" else { return nil }
            var depth = 0
            for index in rest.indices {
                if rest[index] == "{" { depth += 1 }
                if rest[index] == "}" { depth -= 1 }
                if depth == 0 {
                    let inner = String(rest[rest.index(after: rest.startIndex)..<index])
                    rest = rest[(index + 1)...]
                    return inner
                }
            }
            return nil
        }
        while let first = rest.first {
            if first.isWhitespace {
                rest.removeFirst()
            } else if first.isASCII, first.isNumber || first == "." && rest.dropFirst().first.map(isDigit) == true {
                var number = ""
                while let digit = rest.first, isDigit(digit) { number.append(rest.removeFirst()) }
                if rest.first == ".", rest.dropFirst().first.map(isDigit) == true {
                    number.append(rest.removeFirst())
                    while let digit = rest.first, isDigit(digit) { number.append(rest.removeFirst()) }
                }
                tokens.append(.number(number))
            } else if first == "\\" {
                rest.removeFirst()
                guard let next = rest.first else { return nil }
                guard next.isLetter else {
                    rest.removeFirst()
                    // Spaces of several widths.
                    if ",;:! ".contains(next) { continue }
                    tokens.append(.command("\\\(next)"))
                    continue
                }
                var name = ""
                while let letter = rest.first, letter.isASCII, letter.isLetter { name.append(rest.removeFirst()) }
                if ["quad", "qquad", "negmedspace", "negthickspace"].contains(name) { continue }
                if texts.contains(name) || accents[name] != nil {
                    guard let inner = group() else { return nil }
                    let plain = inner.filter { !$0.isWhitespace }
                    let accent = accents[name] ?? ""
                    tokens.append(
                        .named(accent.isEmpty ? plain.filter { $0 != "(" && $0 != ")" } : "\(accent){\(plain)}"))
                    continue
                }
                tokens.append(.command("\\\(name)"))
            } else if first.isLetter {
                tokens.append(.letter(rest.removeFirst()))
            } else if "+-*/^_=<>()[]{}|!,;:&%'≤≥≠±∞√π×·÷∪∩∈°".contains(first) {
                tokens.append(.mark(rest.removeFirst()))
            } else {
                return nil
            }
        }
        return tokens
    }

    private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }

    private static let texts: Set<String> = ["text", "mbox", "mathrm", "textbf", "textit", "textrm", "textnormal"]
    private static let accents = [
        "bar": "bar", "overline": "bar", "vec": "vec", "overrightarrow": "vec", "tilde": "tilde", "widetilde": "tilde",
        "hat": "hat", "widehat": "hat", "mathcal": "math", "mathscr": "math", "mathfrak": "math",
    ]
}
