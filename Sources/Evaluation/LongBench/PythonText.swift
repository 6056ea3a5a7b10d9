import Foundation

/// Text as Python's strings are read: by code points, never by what is written alike.
enum PythonText {
    /// Python's `string.punctuation`.
    static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && scalar.value > 32 && scalar.value < 127 && !isWord(scalar) || scalar == "_"
    }

    /// `\w` of Python's regular expressions.
    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            true
        default: scalar == "_"
        }
    }

    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }

    /// `split()`.
    static func words(_ scalars: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
        scalars.split(whereSeparator: isSpace).map(Array.init)
    }

    /// `split("\n")`.
    static func lines(_ text: String) -> [[Unicode.Scalar]] {
        Array(text.unicodeScalars).split(separator: "\n", omittingEmptySubsequences: false).map(Array.init)
    }

    /// All matches of `\d+`.
    static func numbers(_ text: Substring) -> [String] {
        text.unicodeScalars.split { $0.properties.generalCategory != .decimalNumber }.map(String.init)
    }

    static func equal(_ one: String, _ other: String) -> Bool { one.utf8.elementsEqual(other.utf8) }

    static func contains(_ text: String, _ part: String) -> Bool {
        part.isEmpty || text.range(of: part, options: .literal) != nil
    }
}
