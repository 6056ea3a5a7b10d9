import Chat

/// A way of answering that can be measured.
public enum EvaluationMode: String, Sendable, CaseIterable {
    case receiver, sharer, text, c2c
    /// The receiver, reading exemplars before the question, of which nothing stays in its cache.
    case oracle

    /// What the responder is asked for.
    public var answerMode: AnswerMode {
        switch self {
        case .receiver, .oracle: .receiver
        case .sharer: .sharer
        case .text: .text
        case .c2c: .c2c
        }
    }
}
