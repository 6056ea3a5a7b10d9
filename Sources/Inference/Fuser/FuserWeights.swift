/// One stored tensor that a fuser needs: a weight of the same name in every open projection, as one batch.
public struct FuserWeightSlot: Sendable, Hashable {
    /// A residual block, `x + w2(gelu(w1(norm(x))))`, by the place it has in the projector.
    public enum Block: Sendable, Hashable {
        case input
        case scalar
        case projection(Int)
    }

    /// The reference's state_dict names are these with `key_` or `value_` before them.
    public enum Role: Sendable, Hashable {
        /// The columns of `in.weight` that read the sharer; they come first.
        case sharerInput
        /// The columns of `in.weight` that read the receiver.
        case receiverInput
        case inputBias
        case norm(Block), blockUp(Block), blockDown(Block)
        case scalarHead, scalarHeadBias
        case projectionOutput, projectionOutputBias
    }

    public var role: Role
    public var shape: TensorShape
    /// Norms and biases are kept in float32.
    public var isVector: Bool
}

extension FuserDescription {
    /// The projector's blocks, in the order of their first use.
    public var blocks: [FuserWeightSlot.Block] {
        [.input, .scalar] + (0..<projectionBlockCount).map { .projection($0) }
    }

    /// Width inside a block.
    public func width(of block: FuserWeightSlot.Block) -> Int {
        block == .scalar ? hiddenSize : intermediateSize
    }

    /// Every weight the fuser needs; empty where all gates are closed.
    public var weightSlots: [FuserWeightSlot] {
        guard !open.isEmpty else { return [] }
        let matrix = { (role: FuserWeightSlot.Role, rows: Int, columns: Int) in
            FuserWeightSlot(
                role: role, shape: TensorShape(batch: open.count, rows: rows, columns: columns), isVector: false)
        }
        let vector = { (role: FuserWeightSlot.Role, columns: Int) in
            FuserWeightSlot(role: role, shape: TensorShape(batch: open.count, columns: columns), isVector: true)
        }
        var slots = [
            matrix(.sharerInput, hiddenSize, sharerWidth), matrix(.receiverInput, hiddenSize, receiverWidth),
            vector(.inputBias, hiddenSize),
        ]
        for block in blocks {
            slots.append(vector(.norm(block), hiddenSize))
            slots.append(matrix(.blockUp(block), width(of: block), hiddenSize))
            slots.append(matrix(.blockDown(block), hiddenSize, width(of: block)))
        }
        slots += [
            matrix(.scalarHead, receiverKVHeadCount, hiddenSize), vector(.scalarHeadBias, receiverKVHeadCount),
            matrix(.projectionOutput, receiverWidth, hiddenSize), vector(.projectionOutputBias, receiverWidth),
        ]
        return slots
    }
}
