import Foundation

/// A regular expression that is known to be one.
struct Pattern: @unchecked Sendable {
    // Unchecked as NSRegularExpression, which never changes, isn't marked.
    /// Nil for a pattern that isn't one, which matches nothing.
    private let expression: NSRegularExpression?

    init(_ pattern: String, _ options: NSRegularExpression.Options = []) {
        expression = try? NSRegularExpression(pattern: pattern, options: options)
    }

    /// What each group matched; nil for one that took no part.
    struct Match {
        var range: NSRange
        var groups: [String?]
    }

    func all(_ text: String) -> [Match] {
        let whole = text as NSString
        return (expression?.matches(in: text, range: NSRange(location: 0, length: whole.length)) ?? []).map { match in
            Match(
                range: match.range,
                groups: (0..<match.numberOfRanges).map { index in
                    let range = match.range(at: index)
                    return range.location == NSNotFound ? nil : whole.substring(with: range)
                })
        }
    }

    func matches(_ text: String) -> Bool { !all(text).isEmpty }

    /// - Parameter template: with `$1` for the first group; a backslash is doubled.
    func replace(_ text: String, _ template: String) -> String {
        expression?.stringByReplacingMatches(
            in: text, range: NSRange(location: 0, length: (text as NSString).length), withTemplate: template) ?? text
    }
}
