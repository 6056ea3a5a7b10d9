import Checkpoints
import Foundation

extension TensorStore {
    /// Whether the checkpoint holds an LM head that differs from its embedding. Some do although `tie_word_embeddings` is true;
    /// transformers then believes the tensors.
    ///
    /// - Throws: `CheckpointError` for a tensor that can't be read.
    func hasHeadOfItsOwn() throws -> Bool {
        let embeddings = ["model.embed_tokens.weight", "embed_tokens.weight"]
        guard contains("lm_head.weight"), let embedding = embeddings.first(where: contains) else { return false }
        let (head, table) = (try tensor("lm_head.weight"), try tensor(embedding))
        return try !head.hasValues(of: table)
    }
}

extension HostTensor {
    /// Whether both have one shape and equal values, whatever types these are stored in.
    fileprivate func hasValues(of other: HostTensor) throws -> Bool {
        guard shape == other.shape else { return false }
        guard dtype == other.dtype else { return try floats() == other.floats() }
        return withBytes { left in
            other.withBytes { right in
                guard let left = left.baseAddress, let right = right.baseAddress else { return true }
                return memcmp(left, right, byteCount) == 0
            }
        }
    }
}
