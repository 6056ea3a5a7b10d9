extension Filters {
    /// Filters for web pages and reports: no chat template is known to need them, but Jinja has them.
    static let markup: [String: Filter] = [
        "filesizeformat": { interpreter, value, arguments in
            let isBinary = try arguments.bound(to: ["binary"], of: "filesizeformat").flag("binary")
            let number: Double?
            if case .string(let text) = value { number = PythonString.float(text) } else { number = value.number }
            guard let bytes = number, bytes.isFinite else { throw wrongType("filesizeformat", value) }
            let base = isBinary ? 1024.0 : 1000.0
            guard bytes != 1 else { return .string("1 Byte") }
            guard bytes >= base else { return .string("\(Int(exactly: bytes.rounded(.towardZero)) ?? 0) Bytes") }
            let prefixes = isBinary ? "KMGTPEZY" : "kMGTPEZY"
            var unit = base * base
            var prefix = prefixes.startIndex
            while bytes >= unit, prefixes.index(after: prefix) < prefixes.endIndex {
                unit *= base
                prefix = prefixes.index(after: prefix)
            }
            let size = PythonText.formatted(base * bytes / unit, "f", precision: 1)
            return .string("\(size) \(prefixes[prefix])\(isBinary ? "iB" : "B")")
        },
        "striptags": { interpreter, value, _ in
            var text = try interpreter.text(value)
            for (open, close) in [("<!--", "-->"), ("<", ">")] { text = without(open, close, in: text) }
            let words = PythonString.words(text, limit: .max, fromRight: false).joined(separator: " ")
            return .string(unescaped(words))
        },
        "wordwrap": { interpreter, value, arguments in
            let bound = try arguments.bound(
                to: ["width", "break_long_words", "wrapstring", "break_on_hyphens"], of: "wordwrap")
            let width = try bound.integer("width") ?? 79
            guard width > 0 else { throw JinjaFailure("invalid width \(width); it must be above 0") }
            let separator = try bound.string("wrapstring") ?? "\n"
            let wrap = WordWrap(
                width: width, breaksLongWords: bound.flag("break_long_words", default: true),
                breaksOnHyphens: bound.flag("break_on_hyphens", default: true))
            let text = try interpreter.text(value)
            try interpreter.charge(text.utf8.count)
            let lines = PythonString.lines(text).map { wrap.lines(of: $0).joined(separator: separator) }
            return .string(try interpreter.joined(lines, separator: separator))
        },
        "xmlattr": { interpreter, value, arguments in
            let bound = try arguments.bound(to: ["autospace"], of: "xmlattr")
            guard case .dictionary(let dictionary) = value else { throw wrongType("xmlattr", value) }
            var attributes: [String] = []
            for (key, value) in zip(dictionary.keys, dictionary.values) {
                if case .none = value { continue }
                if case .undefined = value { continue }
                guard case .string(let name) = key.plain else { throw wrongType("xmlattr", key) }
                let isInvalid = name.unicodeScalars.contains { scalar in
                    PythonString.isSpace(scalar) || "/>=".unicodeScalars.contains(scalar)
                }
                guard !isInvalid else { throw JinjaFailure("invalid character in the attribute name '\(name)'") }
                attributes.append("\(try escaped(key, interpreter))=\"\(try escaped(value, interpreter))\"")
            }
            let text = try interpreter.joined(attributes, separator: " ")
            return .string(bound.flag("autospace", default: true) && !text.isEmpty ? " " + text : text)
        },
    ]

    private static func without(_ open: String, _ close: String, in text: String) -> String {
        var pieces = StringSearch.split(text, by: open)
        for index in pieces.indices.dropFirst() {
            let parts = StringSearch.split(pieces[index], by: close, limit: 1)
            guard parts.count == 2 else {
                // Unclosed: from here on all is text.
                return pieces[..<index].joined() + open + pieces[index...].joined(separator: open)
            }
            pieces[index] = parts[1]
        }
        return pieces.joined()
    }

    /// Without the entities that `escape` writes.
    private static func unescaped(_ text: String) -> String {
        let entities = [
            ("&lt;", "<"), ("&gt;", ">"), ("&#39;", "'"), ("&#34;", "\""), ("&quot;", "\""), ("&amp;", "&"),
        ]
        return entities.reduce(text) { text, entity in
            StringSearch.split(text, by: entity.0).joined(separator: entity.1)
        }
    }
}

/// Python's `textwrap`, which leaves tabs and white space as they are.
private struct WordWrap {
    let width: Int
    let breaksLongWords: Bool
    let breaksOnHyphens: Bool

    private typealias Chunk = ArraySlice<Unicode.Scalar>

    func lines(of text: String) -> [String] {
        var chunks = chunks(of: Array(text.unicodeScalars))[...]
        var lines: [String] = []
        while !chunks.isEmpty {
            if !lines.isEmpty, Self.isSpace(chunks.first) { chunks.removeFirst() }
            var line: [Chunk] = []
            var length = 0
            while let chunk = chunks.first, length + chunk.count <= width {
                line.append(chunk)
                length += chunk.count
                chunks = chunks.dropFirst()
            }
            if let long = chunks.first, long.count > width {
                if breaksLongWords {
                    let head = long.prefix(width - length)
                    line.append(head)
                    chunks[chunks.startIndex] = long.dropFirst(head.count)
                } else if line.isEmpty {
                    line.append(long)
                    chunks = chunks.dropFirst()
                }
            }
            if Self.isSpace(line.last) { line.removeLast() }
            if !line.isEmpty { lines.append(PythonString.string(line.joined())) }
        }
        return lines
    }

    private static func isSpace(_ chunk: Chunk?) -> Bool { chunk?.allSatisfy(isSpace) ?? false }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x20: true
        default: false
        }
    }

    /// Runs of white space, and words, cut after a hyphen between letters.
    private func chunks(of scalars: [Unicode.Scalar]) -> [Chunk] {
        var chunks: [Chunk] = []
        var start = 0
        for index in scalars.indices {
            let isEnd =
                index + 1 == scalars.count || Self.isSpace(scalars[index]) != Self.isSpace(scalars[index + 1])
                || (breaksOnHyphens && isBreakingHyphen(index, in: scalars, from: start))
            guard isEnd else { continue }
            chunks.append(scalars[start...index])
            start = index + 1
        }
        return chunks
    }

    private func isBreakingHyphen(_ index: Int, in scalars: [Unicode.Scalar], from start: Int) -> Bool {
        func isLetter(_ index: Int) -> Bool {
            scalars.indices.contains(index) && index >= start
                && (PythonString.isLetter(scalars[index]) || scalars[index] == "_")
        }
        return scalars[index] == "-" && isLetter(index - 1) && isLetter(index - 2) && isLetter(index + 1)
            && isLetter(index + 2)
    }
}
