/// One turn of a conversation.
public struct ChatMessage: Sendable, Hashable, Codable {
    public enum Role: String, Sendable, Codable {
        case system, user, assistant
    }

    public var role: Role
    public var content: String
    /// The question within the content, which text-to-text asks the sharer about; nil for all of it.
    public var question: String?

    public init(_ role: Role, _ content: String, question: String? = nil) {
        self.role = role
        self.content = content
        self.question = question
    }
}
