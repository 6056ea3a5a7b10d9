/// Finds the first stop string in text that comes in parts, and holds back what may be the beginning of one.
public struct StopStringMatcher: Sendable {
    private let stops: [[UInt8]]
    private var held: [UInt8] = []
    /// Whether a stop string came. What is appended then is dropped.
    public private(set) var isMatched = false

    /// - Parameter stops: empty ones are ignored.
    public init(_ stops: [String]) {
        self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
    }

    /// - Returns: what is certain to come before any stop string; whole characters of what was appended.
    public mutating func append(_ part: String) -> String {
        guard !isMatched else { return "" }
        guard !stops.isEmpty else { return part }
        held += Array(part.utf8)
        var start = 0
        while start < held.count {
            let rest = held[start...]
            if stops.contains(where: { rest.starts(with: $0) }) {
                isMatched = true
                break
            }
            if stops.contains(where: { rest.count < $0.count && $0.starts(with: rest) }) { break }
            start += 1
        }
        defer { held.removeSubrange(..<(isMatched ? held.count : start)) }
        return String(decoding: held[..<start], as: UTF8.self)
    }

    /// What was held back, when nothing follows.
    public mutating func finish() -> String {
        defer { held = [] }
        return String(decoding: held, as: UTF8.self)
    }
}
