import Foundation

/// Finds the answer in a text about mathematics, as the checker does that the paper's evaluation uses (math_verify with the
/// configuration of github thu-nics/C2C, `rosetta/utils/matheval.py`).
struct MathAnswer {
    /// Nil for what was found but can't be read.
    var term: MathTerm?
    /// As it stands in the text, without what is only for the eye.
    var text: String

    /// Whether a text's answer equals the right one.
    ///
    /// - Parameter gold: in LaTeX.
    /// - Returns: what the text says, nil where it says nothing; and whether it is right.
    static func grade(_ text: String, gold: String) -> (predicted: String?, isRight: Bool) {
        guard let found = found(in: text) else { return (nil, false) }
        let right = reference(gold)
        if let one = right?.term, let other = found.term, MathEquality.holds(one, other) { return (found.text, true) }
        // What can't be read is right where it is written alike.
        let isSame = right.map { !$0.text.isEmpty && $0.text == found.text } ?? false
        return (found.text, isSame)
    }

    /// A right answer, which is LaTeX as a whole.
    private static func reference(_ gold: String) -> MathAnswer? {
        let text = gold.hasPrefix("$") ? gold : "$\(gold)$"
        guard let content = enclosed.all(text).last(where: { $0.groups.dropFirst().contains { $0 != nil } }) else {
            return nil
        }
        return latex(content.groups[1...6], hasPercent: content.groups[7] != nil, LaTeXNormalizer(mends: true))
    }

    private static func latex(_ groups: ArraySlice<String?>, hasPercent: Bool, _ normalizer: LaTeXNormalizer)
        -> MathAnswer
    {
        let content = groups.lazy.compactMap { $0 }.first { !$0.isEmpty } ?? ""
        let text = normalizer.normalized(content)
        var term = read(text)
        if hasPercent { term = term.map { $0.isNumber ? .percent($0) : .product([$0, .rational(1, 100)]) } }
        return MathAnswer(term: term, text: text)
    }

    /// LaTeX as it is, else what stands after the last equals sign.
    private static func read(_ text: String) -> MathTerm? {
        func parse(_ text: String) -> MathTerm? { LaTeXParser.parse(text, isComplex: complex.matches(text)) }
        if let term = parse(text) { return term }
        guard !text.contains(","), !text.contains(";") else { return nil }
        let marked = Pattern(#"(?<!\\|<|!|>)="#).replace(text, "\u{0}")
        let sides = marked.split(separator: "\u{0}", omittingEmptySubsequences: false)
        return sides.count > 2 ? parse(String(sides[sides.count - 1])) : nil
    }

    // MARK: Where answers are

    /// A place where an answer stands.
    private struct Place {
        enum Kind { case latex, box, number }

        var match: Pattern.Match
        var kind: Kind

        var end: Int { match.range.location + match.range.length }
    }

    /// The answer that counts: of the first kind of place that the text has at all, the one that ends last, and of these the
    /// longest.
    private static func found(in text: String) -> MathAnswer? {
        for kinds in places {
            let all = kinds.flatMap { kind, pattern in pattern.all(text).map { Place(match: $0, kind: kind) } }
            let last = all.max { one, other in
                (one.end, -one.match.range.location) < (other.end, -other.match.range.location)
            }
            guard let last else { continue }
            switch last.kind {
            case .number: return number(last.match.groups)
            case .box: return answer(last.match.groups, LaTeXNormalizer(lastBoxOnly: true))
            case .latex: return answer(last.match.groups, LaTeXNormalizer())
            }
        }
        return nil
    }

    /// One term, or a set of those that commas and words join.
    private static func answer(_ groups: [String?], _ normalizer: LaTeXNormalizer) -> MathAnswer {
        guard normalizer.lastBoxOnly == false else {
            return latex(groups[1...1], hasPercent: false, normalizer)
        }
        let answers = stride(from: 1, to: groups.count - 6, by: 7).compactMap { first -> MathAnswer? in
            guard groups[first..<(first + 6)].contains(where: { $0?.isEmpty == false }) else { return nil }
            return latex(groups[first..<(first + 6)], hasPercent: groups[first + 6] != nil, normalizer)
        }
        guard answers.count > 1 else { return answers.first ?? MathAnswer(term: nil, text: "") }
        let terms = answers.compactMap(\.term)
        guard terms.count == answers.count else { return answers[0] }
        let elements = terms.flatMap { term -> [MathTerm] in
            if case .set(let elements) = term { return elements }
            return [term]
        }
        return MathAnswer(term: .set(elements), text: answers.map(\.text).joined(separator: " and "))
    }

    /// A plain number or a sum.
    private static func number(_ groups: [String?]) -> MathAnswer {
        // Groups: a sum; an integer with separators and its decimals; one with decimals; decimals alone; an integer; percent.
        if let sum = groups[1], !sum.isEmpty {
            return MathAnswer(term: PlainTerm.parse(sum), text: sum)
        }
        let whole = [groups[2], groups[4], groups[7]].lazy.compactMap { $0 }.first { !$0.isEmpty } ?? ""
        let decimals = [groups[3], groups[5], groups[6]].lazy.compactMap { $0 }.first { !$0.isEmpty } ?? ""
        var digits = String(whole.filter { $0 != "," && $0 != " " }.drop { $0 == "0" })
        if digits.isEmpty { digits = "0" }
        let text = digits + decimals.replacing(",", with: ".")
        let value: MathTerm? =
            text.contains(".") ? Double(text).map(MathTerm.decimal) : LaTeXParser.number(text)
        return MathAnswer(term: groups[8] == nil ? value : value.map(MathTerm.percent), text: text)
    }

    // MARK: Patterns

    /// LaTeX between its marks, of each kind, and a percent sign after it: seven groups.
    private static let environment = [
        #"(?:(?:(?<!\\)\$\$((?:[^$]|\$(?!\$))+?)(?<!\\)\$\$"#, #"(?<!\\)\\\[((?:[^\\]|\\(?!\]))+?)(?<!\\)\\\]"#,
        #"(?<!\\|\d)\$((?:\\[$]|[^\n$])+?)(?<!\\)\$"#, #"(?<!\\)\\\(((?:[^\\\n]|\\(?!\)))+?)(?<!\\)\\\)"#,
        #"\s\[([^\n\]\[]+?)\]\s"#,
        #"(-?\\frac\{-?\d+(?:[.,]\d+)?\}\{-?\d+(?:[.,]\d+)?\}))\s*((?:\\?%|[Pp]ercent|[Pp]ercentage|[Pp]ct))?)"#,
    ].joined(separator: "|")

    private static let environments =
        environment + "(?:\\s*(?:,?and|,?or|,)\\s*\(environment))?"
        + String(repeating: "(?:\\s*(?:,?and|,?or|,)\\s*\(environment))?", count: 4)

    private static let enclosed = Pattern(environment, .dotMatchesLineSeparators)

    private static let boxedEnvironment = [
        #"(?:(?:(?<!\\)\$\$((?:[^$]|\$(?!\$))*?\\boxed\{(?:[^$]|\$(?!\$))+?\}(?:[^$]|\$(?!\$))*?)(?<!\\)\$\$"#,
        #"(?<!\\)\\\[((?:[^\\]|\\(?!\]))*?\\boxed\{(?:[^\\]|\\(?!\]))+?\}(?:[^\\]|\\(?!\]))*?)(?<!\\)\\\]"#,
        #"(?<!\\|\d)\$((?:\\[$]|[^\n$])*?\\boxed\{(?:\\[$]|[^\n$])+?\}(?:\\[$]|[^\n$])*?)(?<!\\)\$"#,
        #"(?<!\\)\\\(((?:[^\\\n]|\\(?!\)))*?\\boxed\{(?:[^\\\n]|\\(?!\)))+?\}(?:[^\\\n]|\\(?!\)))*?)(?<!\\)\\\)"#,
        #"\s\[([^\n\]\[]*?\\boxed\{[^\n\]\[]+?\}[^\n\]\[]*?)\]\s"#,
        // A fraction alone has no box: a group that never takes part keeps the count.
        #"(?!)())\s*((?:\\?%|[Pp]ercent|[Pp]ercentage|[Pp]ct))?)"#,
    ].joined(separator: "|")

    private static let boxedEnvironments =
        boxedEnvironment
        + String(repeating: "\\s*(?:\\s*(?:,?and|,?or|,)\\s*\(boxedEnvironment))?", count: 5)

    /// A number of one of four kinds, and a percent sign: seven groups. A sum before it: one.
    private static let plainNumber =
        #"(?<!\d)(?:(-?[1-9]\d{0,2}(?:[ ,]\d{3})+)(\.\d+)?|(-?\d+)([.,]\d+)|(\.\d+)|(-?\d+))(\s*(?:%|[Pp]ercent|\s*[Pp]ercentage|\s*[Pp]ct))?"#
    private static let plainSum = #"(-?\(?-?\d[\d.\s+\-*×/^()÷]*[+\-*×/^()÷][\d.\s+\-*×/^()÷]+\)?)"#
    private static let sum = #"(?:(?:^|\s|=)(?:\*\*)?"# + plainSum + #"(?:\*\*)?(?:\.|,|:|\s|\)|\$|$))"#
    private static let amount = #"(?:(?:^|\s|=)(?:\*\*)?[$€£¥₹₽₪₩₫฿₡₢₣₤₥₦₧₨₭₮₯₰₱₲₳₴₵₶₷₸₺₻₼₾₿]?"# + plainNumber + ")"
    private static let sumOrNumber = "(?:\(sum)|\(amount))"

    private static func latexPattern(_ before: String, _ after: String = "") -> Pattern {
        Pattern(before + environments + after, .dotMatchesLineSeparators)
    }

    /// By how well they mark an answer.
    private static let places: [[(Place.Kind, Pattern)]] = [
        [
            (.latex, latexPattern(#"(?i:final answer is)\:?\s*"#, #"\.?\s?I hope"#)),
            (.latex, Pattern(boxedEnvironments, .dotMatchesLineSeparators)),
            (.box, Pattern(#"(\\boxed\{.+\})"#, .dotMatchesLineSeparators)),
            (.number, Pattern(#"(?i:final answer is)\:?\s*"# + sumOrNumber + #"\.?\s?I hope"#)),
        ],
        [
            (.latex, latexPattern(#"(?i:final answer.{0,100}?)\s+is\:?\s*"#)),
            (.number, Pattern(#"(?i:final answer.{0,100}?)\s+is\:?"# + sumOrNumber)),
        ],
        [
            (.latex, latexPattern("(?i:answer):.{0,50}?")),
            (.number, Pattern(#"(?i:answer):(?:.{0,100}=\s*|.{0,50}?)"# + sumOrNumber + #"(?!\s*=)"#)),
        ],
        [
            (.latex, latexPattern("(?i:answer).{0,50}?")),
            (.number, Pattern(#"(?i:answer)(?:.{0,100}=\s*|.{0,50}?)"# + sumOrNumber + #"(?!\s*=)"#)),
        ],
        [(.number, Pattern(sum)), (.number, Pattern("()" + amount))],
    ]

    /// Signs that a text is about complex numbers.
    private static let complex = Pattern(
        #"\\mathbb\{C\}|\\i\b|\bi\b|\\text\{i\}|\\mathrm\{i\}|\\imath\b|\\det|\\operatorname\{(?:tr|rank|Re|Im)\}|"#
            + #"\\text\{(?:rank|Re|Im)\}|\\arg\{|\\Re\{|\\Im\{"#)
}
