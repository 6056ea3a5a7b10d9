import Foundation

/// Rids answers of what LaTeX adds to their look, and of units, by the rules of the checker that the paper's evaluation uses
/// (latex2sympy2_extended's normalize_latex).
struct LaTeXNormalizer {
    /// Of several boxes, only the last ones that belong together.
    var lastBoxOnly = false
    /// Also mends what is incomplete, such as `\frac12`. Done for right answers, not for those of models.
    var mends = false

    func normalized(_ text: String) -> String {
        var text = boxed(text)
        text = text.replacing(#"\mathrm{T}"#, with: "T").replacing(#"\mathrm{d}"#, with: "d")
            .replacing(#"{\rm d}"#, with: "d")
        text = text.replacing(#"\left[\begin{matrix}"#, with: #"\begin{bmatrix}"#)
            .replacing(#"\end{matrix}\right]"#, with: #"\end{bmatrix}"#)
        for (pattern, replacement) in Self.first { text = pattern.replace(text, replacement) }
        text = Self.looks.reduce(text) { $1.0.replace($0, $1.1) }
        text = text.replacing("\n", with: " ").replacing("\t", with: " ")
        if !text.contains("matrix") { text = Pattern(#"\\\\(?=[a-zA-Z])"#).replace(text, #"\\"#) }
        let withoutUnit = Self.textUnit.replace(text, "").trimmed
        if !withoutUnit.isEmpty { text = withoutUnit }
        for _ in 0..<2 {
            let shorter = Self.unit.replace(text, "$1")
            if !shorter.isEmpty { text = shorter }
        }
        if mends { text = mended(text) }
        return text.trimmed
    }

    /// The contents of boxes, with commas between them; without a box all of the text.
    private func boxed(_ text: String) -> String {
        let characters = Array(text)
        var found: [String] = []
        var (end, current) = (characters.count, characters.count)
        var lastStart: Int?
        while let (start, after) = Self.lastBox(in: characters, before: current) {
            var open = after
            while open < end, characters[open].isWhitespace { open += 1 }
            guard open < end else { break }
            guard characters[open] == "{", let close = Self.closing(characters, from: open, to: end) else {
                // A box that nothing closes counts only where it is the last.
                if found.isEmpty { found.append(String(characters[open...])) }
                break
            }
            let content = String(characters[(open + 1)..<close]).trimmed
            if lastBoxOnly, let lastStart {
                let between = String(characters[(close + 1)..<lastStart])
                let isList =
                    between.count < 10
                    || content != found.last && between.count < 70 && Pattern(#"\b(and|or)\b|,|;"#).matches(between)
                if !isList { break }
            }
            if found.last != content { found.append(content) }
            (lastStart, end, current) = (start, start, start)
        }
        return found.isEmpty ? text : found.reversed().joined(separator: ",")
    }

    /// Where the last `\boxed` or `\fbox` begins and ends.
    private static func lastBox(in text: [Character], before end: Int) -> (Int, Int)? {
        for start in stride(from: end - 1, through: 0, by: -1) where text[start] == "\\" {
            for command in [Array("\\boxed"), Array("\\fbox")] where text[start..<end].starts(with: command) {
                return (start, start + command.count)
            }
        }
        return nil
    }

    private static func closing(_ text: [Character], from open: Int, to end: Int) -> Int? {
        var depth = 0
        for index in open..<end {
            if text[index] == "{" { depth += 1 }
            if text[index] == "}" { depth -= 1 }
            if depth == 0 { return index }
        }
        return nil
    }

    // MARK: Mending

    private func mended(_ text: String) -> String {
        var text = text
        if text.hasPrefix(".") { text = "0" + text }
        if text == "0.5" { text = #"\frac{1}{2}"# }
        for (pattern, replacement) in Self.incomplete { text = pattern.replace(text, replacement) }
        text = text.replacing(" sqrt", with: "\\sqrt")
        return slash(fractions(roots(text)))
    }

    private func roots(_ text: String) -> String {
        Pattern(#"\\sqrt\s*([^\s{\[])"#).replace(text, #"\\sqrt{$1}"#)
    }

    private func fractions(_ text: String) -> String {
        let parts = text.components(separatedBy: "\\frac")
        guard parts.count > 1 else { return text }
        var result = parts[0]
        for part in parts.dropFirst() {
            let part = Array(part.drop(while: \.isWhitespace))
            result += "\\frac"
            if part.first == "{" {
                result += String(part)
            } else if part.count < 2 {
                return text
            } else if part[1] == "{" {
                result += "{\(part[0])}" + String(part[1...])
            } else {
                result += "{\(part[0])}{\(part[1])}" + String(part[2...])
            }
        }
        return result
    }

    private func slash(_ text: String) -> String {
        let sides = text.split(separator: "/", omittingEmptySubsequences: false)
        guard sides.count == 2, let top = Int(sides[0]), let bottom = Int(sides[1]), text == "\(top)/\(bottom)" else {
            return text
        }
        return "\\frac{\(top)}{\(bottom)}"
    }

    // MARK: Patterns

    private static let first: [(Pattern, String)] = [
        (
            Pattern(
                #"\\m?left(\\\{|\{|\\\||\||\[|\(|\\rbracl|\\lgroup|\\lbrace|\\lbrack|\\vert|\\lvert|\\lceil|\\lfloor|\\langle|\\llcorner|\\ulcorner)"#
            ), "$1"
        ),
        (
            Pattern(
                #"\\m?right(\\\}|\}|\\\||\||\]|\)|\\rbrack|\\rgroup|\\rbrace|\\vert|\\rvert|\\rceil|\\rfloor|\\rangle|\\lrcorner|\\urcorner)"#
            ), "$1"
        ),
        (
            Pattern(#"\(([a-zA-Z0-9+\-*/\\ ]+?)\)_\{([a-zA-Z0-9+\-*/\\ ]+?)\}"#), #"\\frac{($1)!}{(($1)-($2))!}"#
        ),
        (Pattern(#"\\mathrm\{th\}|\\!\s*|\\text\s*\{\s*\}|\\\$|\$|(?<!\\)["']|\\displaystyle"#), ""),
    ]

    /// What is written in several ways, and the one that is kept. (One pass in the order of places, which no rule here needs.)
    private static let looks: [(Pattern, String)] = [
        (Pattern(#"\\math(?:rm|it|bf)"#), #"\\text"#), (Pattern(#"\\text(?:normal|bf|it|rm)"#), #"\\text"#),
        (Pattern(#"\\(?:d|t|c)frac"#), #"\\frac"#), (Pattern(#"\s\."#), " 0."), (Pattern(#"\{\."#), "{0."),
        (Pattern(#"\~\="#), #"\\approx"#), (Pattern(#"\s*\{\s*,\s*\}"#), ","),
        (Pattern(#"(,?\s*\\text\{\s*(?:and|or)\s*\})"#), ","),
        (Pattern(#"(?<![a-zA-Z])(,?\s*(?:and|or))(?![a-zA-Z])"#), ","),
        (Pattern(#"(?<!\\)\\\s"#), " "), (Pattern("infinity"), #"\\infty"#), (Pattern(#",?(\\ldots)"#), " "),
        (Pattern(#"\\text\{(?:percentage|percent|pct)\}"#), "%"),
        (Pattern(#"\s*\b(?:percentage|percent|pct)\b"#), #"\\%"#),
        (Pattern(#"(?<!\\)inf(?!inity|ty)"#), #"\\infty"#), (Pattern(" sqrt"), #"\\sqrt"#),
    ]

    private static let incomplete: [(Pattern, String)] = [
        (Pattern(#"\^\s?\((.*?)\)"#), "^{$1}"), (Pattern(#"sqrt\s?\((.*?)\)"#), #"\\sqrt{$1}"#),
        (Pattern(#"\\frac\s?(\d)\s?(\d+)"#), #"\\frac{$1}{$2}"#),
        (Pattern(#"\\log_\s?(\d)\s?(\d+)"#), #"\\log_{$1}{$2}"#),
        (Pattern(#"\\frac\s?\{(.*?)\}\s?(\d)"#), #"\\frac{$1}{$2}"#),
        (Pattern(#"\\frac\s?(\d)\s?\{(.*?)\}"#), #"\\frac{$1}{$2}"#), (Pattern(#"\\sqrt\s?(\d)"#), #"\\sqrt{$1}"#),
    ]

    /// Text at the end, with a power.
    private static let textUnit = Pattern(#"(\\(?:text|mbox)\{.*?\})(\^\d|\{\^\d\})?$"#)

    private static let unit = Pattern(
        "(\\d|\\}|\\s)\\s*(?:(?:\(units.map(NSRegularExpression.escapedPattern).joined(separator: "|")))(?:s|es)?)\\s*$"
    )

    private static let units = [
        "integerpoint", "feet", "sue", "digit", "pound", "meal", "edge", "student", "children ticket", "multiple",
        "east",
        "degree", "mph", "kmph", "ft", "m square", " m east", "sq m", "deg", "mile", "q .", "monkey", "prime", "ratio",
        "profit of rs", "rd", "o", "gm", "p . m", "lb", "tile", "per", "dm", "lt", "gain", "ab", "way", "west", "a .",
        "b .",
        "c .", "d .", "e .", "f .", "g .", "h .", "t", "h", "no change", "men", "soldier", "pie", "bc", "excess", "st",
        "inches", "noon", "cent", "by", "gal", "kmh", "c", "acre", "rise", "a . m", "th", "π r 2", "sq", "mark", "l",
        "toy",
        "coin", "sq . m", "gallon", "° f", "profit", "minw", "yr", "women", "am", "pm", "hr", "cu cm", "square", "are",
        "rupee", "rounds", "cubic", "cc", "mtr", "s", "ohm", "number", "day", "hour", "minute", "min", "second", "man",
        "woman", "sec", "cube", "mt", "sq inch", "mp", "hectare", "more", "unit", "cu . m", "cm 2", "rs .", "rs", "kg",
        "g",
        "month", "km", "m", "cm", "mm", "apple", "liter", "loss", "yard", "pure", "year", "increase", "decrease", "d",
        "less",
        "Surface", "litre", "pi sq m", "s .", "metre", "meter", "inch",
    ]
}
