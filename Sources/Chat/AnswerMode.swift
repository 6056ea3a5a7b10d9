/// Who answers, and from what.
public enum AnswerMode: String, Sendable, Codable, CaseIterable {
    /// The receiver, with sharers' KV-caches fused in.
    case c2c
    /// The receiver alone.
    case receiver
    /// The first sharer alone.
    case sharer
    /// Text-to-text: the first sharer writes background, the receiver reads it and answers.
    case text
}
