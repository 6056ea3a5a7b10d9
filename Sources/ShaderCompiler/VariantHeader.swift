/// The variants that a `.comp` file declares of itself.
///
/// They stand in the file's header: the lines before the first one that is neither blank, nor a `//` comment, nor the
/// `#version` line.
///
///     // variant WEIGHT: F32 F16 BF16
///     // variant TILE: 8x8 4x1
///     // requires WEIGHT=BF16: GL_EXT_bfloat16
///
/// **Axes.** Each `variant` line is an axis with its values, and the file becomes one module for each element of their
/// cartesian product. A file without axes becomes one module. The key of a module is the file's name followed by the
/// values in the order in which the axes are declared: `linear WEIGHT=F16 TILE=8x8`.
///
/// **Macros.** In the module above `WEIGHT_F16` and `TILE_8x8` are defined as 1, to be asked with `#ifdef`. Where the
/// value is an identifier or a decimal number, the axis is defined as well, as that value: `WEIGHT` is `F16`, and with
/// `// variant ROWS: 4 8` `ROWS` can size an array. A value like `8x8` is no single token of GLSL, so `TILE` is not
/// defined.
///
/// **Requirements.** A `requires` line names an extension that glslang itself must know for some modules (all modules
/// where no `AXIS=VALUE` is given). Modules for which the build's glslang is too old are left out with a note, so the
/// caller must be able to do without them. Extensions that every supported glslang knows need no such line.
///
/// **Spelling.** An axis is in capitals, digits and single underscores and starts with a capital; a value is of
/// letters, digits and single underscores. Anything that starts as one of these lines but does not fit is an error,
/// as is a line of this kind below the header, where it would have no effect.
struct VariantHeader {
    struct Axis {
        let name: String
        let values: [String]
    }

    struct Requirement {
        /// Applies to the modules in which all of these axes have these values.
        let choices: [Choice]
        let shaderExtension: String
    }

    struct Choice: Equatable {
        let axis: String
        let value: String
    }

    private(set) var axes: [Axis] = []
    private(set) var requirements: [Requirement] = []

    /// More is a mistake in a header rather than a wish.
    static let mostVariants = 1024

    /// - Parameter file: what messages call the file.
    init(lines: [Substring], file: String) throws {
        var errors: [ShaderError] = []
        var inHeader = true
        for (index, line) in lines.enumerated() {
            let text = line.trimmed
            inHeader = inHeader && (text.isEmpty || text.hasPrefix("//") || isDirective("version", text))
            do throws(Malformed) {
                if inHeader {
                    try read(text)
                } else if Self.declarationBelowHeader(text) {
                    throw Malformed("stands below the header; move it above the first line of code")
                }
            } catch {
                errors.append(ShaderError(file: file, line: index + 1, message: error.message))
            }
        }
        guard errors.isEmpty else { throw ShaderErrors(errors: errors) }
    }

    /// All combinations of values, the last axis changing fastest.
    var combinations: [[Choice]] {
        axes.reduce([[]]) { combinations, axis in
            combinations.flatMap { chosen in axis.values.map { chosen + [Choice(axis: axis.name, value: $0)] } }
        }
    }

    private struct Malformed: Error {
        let message: String
        init(_ message: String) { self.message = message }
    }

    private mutating func read(_ line: Substring) throws(Malformed) {
        guard line.hasPrefix("//") else { return }
        let comment = line.dropFirst(2).trimmed
        let keyword = comment.prefix(while: \.isLetter).lowercased()
        let rest = comment.dropFirst(keyword.count)
        switch keyword {
        case "variant", "variants": try readAxis(comment, rest)
        case "requires", "require": try readRequirement(comment, rest)
        default: return
        }
    }

    private mutating func readAxis(_ comment: Substring, _ rest: Substring) throws(Malformed) {
        let parts = rest.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard comment.hasPrefix("variant "), parts.count == 2 else {
            throw Malformed("malformed variant line; write `// variant WEIGHT: F32 F16`, or reword the sentence")
        }
        let name = String(parts[0].trimmed)
        let values = parts[1].split(whereSeparator: \.isWhitespace).map(String.init)
        guard Self.isAxisName(name) else {
            throw Malformed("`\(name)` cannot name a variant's axis; use capitals, digits and single underscores")
        }
        guard !axes.contains(where: { $0.name == name }) else {
            throw Malformed("axis \(name) is declared twice; put all its values on one line")
        }
        guard !values.isEmpty else { throw Malformed("axis \(name) has no values") }
        for (index, value) in values.enumerated() {
            guard Self.isValue(value) else {
                throw Malformed("`\(value)` cannot be a value of \(name); use letters, digits and single underscores")
            }
            guard !values[..<index].contains(value) else {
                throw Malformed("axis \(name) has the value \(value) twice")
            }
        }
        let taken = Set(axes.flatMap(Self.macros))
        if let clash = Self.macros(of: Axis(name: name, values: values)).first(where: taken.contains) {
            throw Malformed("axis \(name) would define \(clash), which another axis defines; rename one of them")
        }
        let count = (axes + [Axis(name: name, values: values)]).reduce(1) { min($0 * $1.values.count, 1 << 20) }
        guard count <= Self.mostVariants else {
            throw Malformed("axis \(name) makes \(count) variants of this file, more than \(Self.mostVariants)")
        }
        axes.append(Axis(name: name, values: values))
    }

    private mutating func readRequirement(_ comment: Substring, _ rest: Substring) throws(Malformed) {
        let parts = rest.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard comment.hasPrefix("requires"), parts.count == 2, Self.isExtension(parts[1].trimmed) else {
            throw Malformed("malformed requires line; write `// requires AXIS=VALUE: GL_...`, or reword the sentence")
        }
        var choices: [Choice] = []
        for word in parts[0].split(whereSeparator: \.isWhitespace) {
            let sides = word.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2, axes.contains(where: { $0.name == sides[0] && $0.values.contains(sides[1]) }) else {
                throw Malformed("`\(word)` is not AXIS=VALUE of a variant line above")
            }
            choices.append(Choice(axis: sides[0], value: sides[1]))
        }
        requirements.append(Requirement(choices: choices, shaderExtension: String(parts[1].trimmed)))
    }

    /// Stricter than in the header, so that a sentence in a comment may well begin with "variant".
    private static func declarationBelowHeader(_ line: Substring) -> Bool {
        guard line.hasPrefix("//") else { return false }
        let words = line.dropFirst(2).trimmed.split(separator: " ", maxSplits: 1)
        guard words.count == 2, let colon = words[1].firstIndex(of: ":") else { return false }
        let subject = words[1][..<colon]
        switch words[0] {
        case "variant": return isAxisName(String(subject.trimmed))
        case "requires": return isExtension(words[1][colon...].dropFirst().trimmed)
        default: return false
        }
    }

    private static func macros(of axis: Axis) -> [String] {
        [axis.name] + axis.values.map { "\(axis.name)_\($0)" }
    }

    private static func isAxisName(_ text: String) -> Bool {
        text.first?.isNumber == false && isUnderscoredWords(text) { $0.isUppercase || $0.isNumber }
    }

    private static func isValue(_ text: String) -> Bool {
        isUnderscoredWords(text) { $0.isLetter || $0.isNumber }
    }

    private static func isExtension(_ text: Substring) -> Bool {
        text.hasPrefix("GL_") && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    /// GLSL reserves identifiers that hold two underscores in a row, so names must not come to that when joined.
    private static func isUnderscoredWords(_ text: String, _ isPart: (Character) -> Bool) -> Bool {
        text.split(separator: "_", omittingEmptySubsequences: false).allSatisfy { word in
            !word.isEmpty && word.allSatisfy { $0.isASCII && isPart($0) }
        }
    }
}
