/// Why a conversation can't be answered.
public enum ChatError: Error, Equatable, CustomStringConvertible {
    /// Where a template was looked for.
    case noTemplate(String)
    case noTokenizer(model: String)
    case noReceiver
    case noSharer
    /// A prompt of tokens or raw text can't be put into text-to-text's conversations.
    case textNeedsConversation
    case noFuser(sharer: String)
    /// Alignment pairs the receiver with one sharer.
    case severalAligned
    /// A side needs padding and has no token for it.
    case misaligned(String)

    public var description: String {
        switch self {
        case .noTemplate(let place):
            "\(place): has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json); "
                + "add one, or give the prompt with --raw"
        case .noTokenizer(let model):
            "the \(model) has no tokenizer.json (nor vocab.json with merges.txt), so it can't read text; give --prompt-ids, or add the file"
        case .noReceiver:
            "there is no model that answers; add --receiver DIR"
        case .noSharer:
            "there is no sharer; add --sharer DIR"
        case .textNeedsConversation:
            "text-to-text puts the question into conversations of its own; give it as text, without --raw"
        case .noFuser(let sharer):
            "\(sharer) has no fuser, so nothing can be fused; add --fuser DIR"
        case .severalAligned:
            "several sharers are given and one of them needs its tokens aligned; alignment works with a single sharer"
        case .misaligned(let text):
            text
        }
    }
}
