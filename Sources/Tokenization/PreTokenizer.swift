/// Cuts text into the pieces that byte-pair encoding works on. Merges never cross a cut.
struct PreTokenizer: Sendable {
    private enum Step: Sendable {
        case split(Split)
        /// A space in front of every piece that does not begin with one (ByteLevel's `add_prefix_space`).
        case prefixSpace
    }

    private let steps: [Step]

    /// Many times what is published. A step of 40 bytes in a file is a compiled pattern of 30 KB here.
    private static let stepLimit = 64

    /// GPT-2's pattern, which ByteLevel applies by itself where `use_regex` is set.
    private static let byteLevelPattern =
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    /// - Throws: `TokenizationError` for an unsupported kind, a bad pattern, or a pipeline that does not end in ByteLevel
    ///   (only there does text become the alphabet the model is written in).
    init(_ node: JSONNode?) throws {
        let kinds = try node.map(Self.flattened) ?? []
        guard let last = kinds.last, try last.type() == "ByteLevel" else {
            let found = try kinds.last.map { "ends in \(quoted(try $0.type()))" } ?? "is missing"
            throw TokenizationError.unsupported(
                "pre_tokenizer \(found); only byte-level BPE is supported, where it ends in \"ByteLevel\"")
        }
        guard kinds.count <= Self.stepLimit else {
            throw TokenizationError.invalidFile(
                "pre_tokenizer has \(kinds.count) steps, expected at most \(Self.stepLimit)")
        }
        var steps: [Step] = []
        for kind in kinds {
            switch try kind.type() {
            case "Split":
                steps.append(.split(try Split(kind)))
            case "Digits":
                let individual = try kind.member("individual_digits").bool()
                let digit = try Pattern(regex: #"\p{N}"#)
                steps.append(.split(Split(pattern: digit, behavior: individual ? .isolated : .contiguous)))
            case "ByteLevel":
                guard kind.path == last.path else {
                    throw TokenizationError.unsupported("\(kind.path): ByteLevel is supported as the last step only")
                }
                if try kind.member("add_prefix_space").bool() { steps.append(.prefixSpace) }
                if try kind.optionalMember("use_regex")?.bool() ?? true {
                    let pattern = try Pattern(regex: Self.byteLevelPattern)
                    steps.append(.split(Split(pattern: pattern, behavior: .isolated)))
                }
            default:
                throw try kind.unsupportedType(supported: "Split, Digits, ByteLevel, Sequence")
            }
        }
        self.steps = steps
    }

    private static func flattened(_ node: JSONNode) throws -> [JSONNode] {
        guard try node.type() == "Sequence" else { return [node] }
        return try node.member("pretokenizers").elements().flatMap(flattened)
    }

    /// Calls `body` with each piece of `text` (valid UTF-8), in order.
    func forEachPiece(
        of text: ArraySlice<UInt8>, matcher: PatternMatcher, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) throws {
        guard !text.isEmpty else { return }
        var ranges = [0..<text.count]
        var prefixed: [UInt8]?
        for step in steps {
            switch step {
            case .split(let split):
                var pieces: [Range<Int>] = []
                pieces.reserveCapacity(text.count / 4)
                try (prefixed?[...] ?? text).withUnsafeBufferPointer { bytes in
                    for range in ranges {
                        try split.appendPieces(of: range, in: bytes, matcher: matcher, to: &pieces)
                    }
                }
                ranges = pieces
            case .prefixSpace:
                (prefixed, ranges) = Self.prefixed(prefixed?[...] ?? text, ranges)
            }
        }
        (prefixed?[...] ?? text).withUnsafeBufferPointer { bytes in
            for range in ranges { body(UnsafeBufferPointer(rebasing: bytes[range])) }
        }
    }

    private static func prefixed(_ text: ArraySlice<UInt8>, _ ranges: [Range<Int>]) -> ([UInt8], [Range<Int>]) {
        let space = UInt8(ascii: " ")
        var result: [UInt8] = []
        var moved: [Range<Int>] = []
        for range in ranges {
            let piece = text[(text.startIndex + range.lowerBound)..<(text.startIndex + range.upperBound)]
            let start = result.count
            if piece.first != space { result.append(space) }
            result.append(contentsOf: piece)
            moved.append(start..<result.count)
        }
        return (result, moved)
    }
}

/// A cut at every match of a pattern.
struct Split: Sendable {
    /// What becomes of the matches ("delimiters"), by the names of tokenizer.json.
    enum Behavior: String, Sendable {
        case isolated = "Isolated"
        case removed = "Removed"
        case mergedWithPrevious = "MergedWithPrevious"
        case mergedWithNext = "MergedWithNext"
        /// Neighbouring matches make one piece.
        case contiguous = "Contiguous"
    }

    let pattern: Pattern
    let behavior: Behavior
    /// The text between the matches counts as the matches.
    var inverts = false

    init(pattern: Pattern, behavior: Behavior) {
        self.pattern = pattern
        self.behavior = behavior
    }

    init(_ node: JSONNode) throws {
        let source = try node.member("pattern")
        if let regex = try source.optionalMember("Regex") {
            pattern = try Pattern(regex: regex.string())
        } else if let literal = try source.optionalMember("String") {
            pattern = try Pattern(literal: literal.string())
        } else {
            throw TokenizationError.invalidFile("\(source.path) has neither Regex nor String")
        }
        let name = try node.member("behavior").string()
        guard let behavior = Behavior(rawValue: name) else {
            throw TokenizationError.unsupported("\(node.path).behavior: \(quoted(name)) is not supported")
        }
        self.behavior = behavior
        inverts = try node.member("invert").bool()
    }

    /// Appends the pieces of `text[range]`; none is empty.
    func appendPieces(
        of range: Range<Int>, in text: UnsafeBufferPointer<UInt8>, matcher: PatternMatcher,
        to pieces: inout [Range<Int>]
    ) throws {
        var joiner = Joiner(behavior: behavior, inverts: inverts, pieces: pieces)
        pieces = []
        var end = range.lowerBound
        let subject = UnsafeBufferPointer(rebasing: text[range])
        try pattern.forEachMatch(in: subject, matcher: matcher) { match in
            let start = range.lowerBound + match.lowerBound
            if end < start { joiner.append(end..<start, isMatch: false) }
            end = range.lowerBound + match.upperBound
            joiner.append(start..<end, isMatch: true)
        }
        if end < range.upperBound { joiner.append(end..<range.upperBound, isMatch: false) }
        joiner.finish()
        pieces = joiner.pieces
    }

    /// Joins the alternation of matches and the text between them as the behavior says.
    private struct Joiner {
        let behavior: Behavior
        let inverts: Bool
        var pieces: [Range<Int>]
        /// The piece that the next range may still join.
        private var open: Range<Int>?
        private var previousIsMatch = false

        init(behavior: Behavior, inverts: Bool, pieces: [Range<Int>]) {
            self.behavior = behavior
            self.inverts = inverts
            self.pieces = pieces
        }

        mutating func append(_ range: Range<Int>, isMatch: Bool) {
            let isMatch = isMatch != inverts
            let joins: Bool
            switch behavior {
            case .isolated: joins = false
            case .removed:
                if !isMatch { close(range) }
                return
            case .contiguous: joins = isMatch == previousIsMatch
            case .mergedWithPrevious: joins = isMatch && !previousIsMatch
            // Of several matches in a row, the last goes with the text after it.
            case .mergedWithNext: joins = previousIsMatch && !isMatch
            }
            previousIsMatch = isMatch
            if joins, let piece = open {
                open = piece.lowerBound..<range.upperBound
            } else {
                finish()
                open = range
            }
        }

        mutating func finish() {
            if let piece = open { close(piece) }
            open = nil
        }

        private mutating func close(_ piece: Range<Int>) {
            if !piece.isEmpty { pieces.append(piece) }
        }
    }
}
