/// Tokenizer files write patterns for Oniguruma, the engine of the library that made them. PCRE2 reads nearly the same
/// language; this is the difference: what can be said in PCRE2 is translated, what cannot is refused, so that no
/// pattern silently splits text another way.
enum OnigurumaSyntax {
    /// - Throws: `TokenizationError.invalidPattern` naming a construct that the engines understand differently.
    static func translate(_ pattern: String) throws -> String {
        var reader = Reader(source: pattern, scalars: Array(pattern.unicodeScalars))
        return try reader.translate()
    }

    private struct Reader {
        let source: String
        let scalars: [Unicode.Scalar]
        var index = 0
        var output = ""

        init(source: String, scalars: [Unicode.Scalar]) {
            self.source = source
            self.scalars = scalars
        }

        func refusal(_ reason: String) -> TokenizationError {
            let offset = scalars[..<min(index, scalars.count)].reduce(0) { $0 + UTF8.width($1) }
            return .invalidPattern(pattern: source, reason: reason, offset: offset)
        }

        mutating func translate() throws -> String {
            while index < scalars.count {
                let scalar = scalars[index]
                switch scalar {
                case "\\": try translateEscape(inClass: false)
                case "[": try translateClass()
                case "(":
                    try checkOptions()
                    copy()
                default: copy()
                }
            }
            return output
        }

        private mutating func copy() {
            output.unicodeScalars.append(scalars[index])
            index += 1
        }

        /// PCRE2's \s has U+180E, its \w lacks marks and most connectors, and some letters mean other things.
        private mutating func translateEscape(inClass: Bool) throws {
            guard index + 1 < scalars.count else { return copy() }
            // Word characters are those of Unicode TS 18; outside a class Oniguruma adds the digits and fractions of Latin-1.
            let word = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"
            let latinNumbers = "\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}"
            switch scalars[index + 1] {
            case "s": output += "\\p{White_Space}"
            case "S": output += "\\P{White_Space}"
            case "w": output += inClass ? word : "[\(word)\(latinNumbers)]"
            case "W" where !inClass: output += "[^\(word)\(latinNumbers)]"
            case "W", "h", "H", "y", "Y", "Q", "E", "C":
                throw refusal("\\\(scalars[index + 1]) is not supported here")
            case "b" where !inClass, "B" where !inClass:
                throw refusal("\\\(scalars[index + 1]) is not supported")
            default:
                copy()
                return copy()
            }
            index += 2
        }

        /// Inside brackets, Oniguruma nests classes and knows `&&`; PCRE2 takes both literally.
        private mutating func translateClass() throws {
            copy()
            if index < scalars.count, scalars[index] == "^" { copy() }
            if index < scalars.count, scalars[index] == "]" { copy() }
            while index < scalars.count, scalars[index] != "]" {
                switch scalars[index] {
                case "\\":
                    try translateEscape(inClass: true)
                case "[":
                    throw refusal("a class within a class is not supported")
                case "&" where index + 1 < scalars.count && scalars[index + 1] == "&":
                    throw refusal("&& in a class is not supported")
                default:
                    copy()
                }
            }
            if index < scalars.count { copy() }
        }

        /// Of the inline options only `i` means the same to both; `(*` starts a verb in PCRE2 alone.
        private func checkOptions() throws {
            guard index + 1 < scalars.count else { return }
            if scalars[index + 1] == "*" { throw refusal("(* is not supported") }
            guard scalars[index + 1] == "?" else { return }
            let options = scalars[(index + 2)...].prefix { "a"..."z" ~= $0 || "A"..."Z" ~= $0 || $0 == "-" }
            let after = index + 2 + options.count
            guard after < scalars.count, scalars[after] == ":" || scalars[after] == ")" else { return }
            if options.contains(where: { $0 != "i" && $0 != "-" }) {
                throw refusal("an inline option other than i is not supported")
            }
        }
    }
}
