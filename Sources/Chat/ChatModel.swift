import Inference
import Tokenization

/// A model in a backend's memory that can be talked to.
public struct ChatModel {
    public var decoder: Decoder
    /// Nil where the checkpoint has no tokenizer: then prompts and answers are ids.
    public var text: ModelText?
    /// Ids that end an answer.
    public var endTokens: Set<Int>

    public init(decoder: Decoder, text: ModelText?, endTokens: Set<Int>) {
        self.decoder = decoder
        self.text = text
        self.endTokens = endTokens
    }
}

/// A model whose cache can be fused into the receiver's, and that can be asked itself if it was loaded in full.
public struct ChatSharer {
    public var model: ChatModel
    /// Nil where only text is exchanged.
    public var fuser: Fuser?
    /// How its tokens are found where its tokenizer isn't the receiver's; nil gives it the receiver's tokens.
    public var alignment: AlignmentStrategy?

    public init(model: ChatModel, fuser: Fuser?, alignment: AlignmentStrategy?) {
        self.model = model
        self.fuser = fuser
        self.alignment = alignment
    }
}
