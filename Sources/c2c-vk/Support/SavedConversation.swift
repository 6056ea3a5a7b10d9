import Chat
import Foundation
import OutputFiles

/// What `/save` writes.
struct SavedConversation: Encodable {
    /// The first key, so that the file is known by its beginning.
    private let generator = "c2c-vk"
    var messages: [ChatMessage]

    static let mark = OutputMark(
        "a conversation of an earlier /save",
        """
        {
          "generator" : "c2c-vk"
        """)

    init(messages: [ChatMessage]) {
        self.messages = messages
    }

    func data() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + [0x0A]
    }
}
