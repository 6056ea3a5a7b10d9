/// A `.comp` file with its `#include "file.glsl"` lines replaced by the files.
///
/// A path is relative to the shader folder, whoever includes it. Each file takes effect once per module: its text is
/// wrapped in a guard, so an include inside an `#if` that is not taken does not count. `#line` directives keep every
/// message on the file and line that a person wrote.
struct ExpandedSource {
    /// The lines of the `.comp` file itself.
    let ownLines: [Substring]

    /// GLSL up to and with the `#version` line.
    private var head = ""
    /// The GLSL that follows.
    private var body = ""
    private let folder: ShaderFolder
    /// Every file seen; its index names its guard.
    private var files: [String] = []
    /// The files being expanded, outermost first.
    private var open: [String] = []

    init(file: String, in folder: ShaderFolder) throws {
        self.folder = folder
        let name = folder.displayName(of: file)
        do {
            ownLines = try folder.lines(of: file)
        } catch {
            throw ShaderErrors(file: name, line: nil, error.description)
        }
        // glslang would assume a version of its own.
        guard let version = ownLines.firstIndex(where: { isDirective("version", $0.trimmed) }) else {
            throw ShaderErrors(file: name, line: 1, "no #version line; write `#version 460` below the header comments")
        }
        head = ownLines[...version].map { $0 + "\n" }.joined()
        body = "#line \(version + 2) \"\(name)\"\n"
        try append(ownLines, from: version + 1, of: file)
    }

    /// The whole GLSL with directives of a variant, which must come after the `#version` line.
    func text(with directives: [String]) -> String {
        let preamble = ["#extension GL_GOOGLE_cpp_style_line_directive : require"] + directives
        return head + preamble.map { $0 + "\n" }.joined() + body
    }

    private mutating func append(_ lines: [Substring], from start: Int = 0, of file: String) throws {
        open.append(file)
        var comments = CommentTracker()
        var hasIncludes = false
        for (index, line) in lines.enumerated().dropFirst(start) {
            let number = index + 1
            let isCode = !comments.isInside
            comments.skip(line)
            let directive = line.trimmed
            if isCode, isDirective("include", directive) {
                try include(directive, at: number, of: file)
                hasIncludes = true
                appendLineDirective(number + 1, of: file)
                continue
            }
            body += line + "\n"
            guard isCode else { continue }
            // In a branch that is not taken a #line directive has no effect, so the count is mended where it ends.
            let endsBranch = ["else", "elif", "endif"].contains { isDirective($0, directive) }
            if hasIncludes && endsBranch { appendLineDirective(number + 1, of: file) }
        }
        open.removeLast()
    }

    private mutating func include(_ directive: Substring, at number: Int, of file: String) throws {
        func failure(_ message: String) -> ShaderErrors {
            ShaderErrors(file: folder.displayName(of: file), line: number, message)
        }
        guard let path = Self.path(in: directive) else {
            throw failure("malformed include; write it as `#include \"file.glsl\"`")
        }
        // The build looks for changes in .comp and .glsl files only, and a .comp file would bring its #version along.
        guard path.hasSuffix(".glsl") else { throw failure("\"\(path)\" is not a .glsl file; only those are included") }
        guard !open.contains(path) else {
            throw failure("include cycle: \((open + [path]).joined(separator: " -> "))")
        }
        let lines: [Substring]
        do {
            lines = try folder.lines(of: path)
        } catch {
            throw failure(error.description)
        }
        let guardName = "C2C_INCLUDED_\(files.firstIndex(of: path) ?? files.count)"
        if !files.contains(path) { files.append(path) }
        body += "#ifndef \(guardName)\n#define \(guardName)\n"
        appendLineDirective(1, of: path)
        try append(lines, of: path)
        body += "#endif\n"
    }

    private mutating func appendLineDirective(_ number: Int, of file: String) {
        body += "#line \(number) \"\(folder.displayName(of: file))\"\n"
    }

    /// The path of an include line, which may end in a comment.
    private static func path(in directive: Substring) -> String? {
        let argument = directive.dropFirst().trimmed.dropFirst("include".count).trimmed
        guard argument.first == "\"", let end = argument.dropFirst().firstIndex(of: "\"") else { return nil }
        let rest = argument[end...].dropFirst().trimmed
        guard rest.isEmpty || rest.hasPrefix("//") || rest.hasPrefix("/*") else { return nil }
        return String(argument[..<end].dropFirst())
    }
}

/// Tells whether a line begins inside a `/* ... */` comment, where a directive is only text.
private struct CommentTracker {
    private(set) var isInside = false

    mutating func skip(_ line: Substring) {
        var rest = line[...]
        while true {
            let pair = rest.prefix(2)
            if pair.count < 2 { return }
            if isInside, pair == "*/" {
                isInside = false
                rest = rest.dropFirst(2)
            } else if !isInside, pair == "/*" {
                isInside = true
                rest = rest.dropFirst(2)
            } else if !isInside, pair == "//" {
                return
            } else {
                rest = rest.dropFirst()
            }
        }
    }
}

/// Whether a trimmed line is the preprocessor directive of this name.
func isDirective(_ name: String, _ line: Substring) -> Bool {
    guard line.first == "#" else { return false }
    return line.dropFirst().trimmed.prefix(while: { $0.isLetter || $0 == "_" }) == name
}

extension StringProtocol {
    /// Without white space at either end.
    var trimmed: SubSequence {
        guard let first = firstIndex(where: { !$0.isWhitespace }),
            let last = lastIndex(where: { !$0.isWhitespace })
        else { return self[endIndex...] }
        return self[first...last]
    }
}
