/// A stretch of the prompt that is prefilled, and fused, as one.
public struct Section: Sendable, Hashable {
    /// Tokens.
    public var length: Int
    /// -1: nothing is fused; otherwise bit k lets sharer k + 1 project.
    public var sharerMask: Int

    public init(length: Int, sharerMask: Int) {
        self.length = length
        self.sharerMask = sharerMask
    }

    /// All but the last token with every sharer, then the last token alone. Without sharers, the prompt in one.
    public static func defaults(promptLength: Int, sharerCount: Int) -> [Section] {
        if sharerCount == 0 { return promptLength > 0 ? [Section(length: promptLength, sharerMask: -1)] : [] }
        return lastApart(promptLength: promptLength, sharerMask: (1 << sharerCount) - 1)
    }

    /// All but the last token, then that alone.
    public static func lastApart(promptLength: Int, sharerMask: Int) -> [Section] {
        [Section(length: promptLength - 1, sharerMask: sharerMask), Section(length: 1, sharerMask: -1)]
            .filter { $0.length > 0 }
    }

    /// Reads the command line's form, `length:mask,length:mask,...`.
    /// - Throws: `InferenceError.badRequest` naming the part that can't be read.
    public static func parse(_ text: String) throws -> [Section] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            let fields = part.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 2, let length = Int(fields[0]), let mask = Int(fields[1]) else {
                throw InferenceError.badRequest(
                    "section \"\(part)\" can't be read; write length:mask, such as 12:1,5:-1,1:-1")
            }
            return Section(length: length, sharerMask: mask)
        }
    }

    /// Checks a prompt's sections.
    /// - Throws: `InferenceError.badRequest` when they don't cover the prompt or name a sharer that isn't there.
    static func check(_ sections: [Section], promptLength: Int, sharerCount: Int) throws {
        for section in sections {
            guard section.length > 0, section.length <= promptLength else {
                throw InferenceError.badRequest(
                    "a section has length \(section.length); each must have 1 to \(promptLength) tokens")
            }
            guard section.sharerMask >= -1, section.sharerMask != 0 else {
                throw InferenceError.badRequest(
                    "a section has sharer mask \(section.sharerMask); write -1 for no fusion or a sum of "
                        + "1 (first sharer), 2 (second), 4, ...")
            }
            guard section.sharerMask < 1 << sharerCount else {
                throw InferenceError.badRequest(
                    "sharer mask \(section.sharerMask) names a sharer that isn't there; there "
                        + (sharerCount == 1 ? "is 1" : "are \(sharerCount)"))
            }
        }
        let total = sections.reduce(0) { $0 + $1.length }
        guard total == promptLength else {
            throw InferenceError.badRequest(
                "the sections have \(total) tokens in all, the prompt has \(promptLength)")
        }
    }
}
