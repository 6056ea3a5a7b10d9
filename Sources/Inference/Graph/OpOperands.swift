extension Op {
    /// The tensors the operation reads.
    public var reads: [Tensor] {
        switch self {
        case .embed(let op): [op.ids.tensor, op.table]
        case .rmsNorm(let op): [op.input.tensor, op.weight]
        case .linear(let op):
            [op.input.tensor, op.weight] + (op.bias.map { [$0] } ?? []) + (op.residual.map { [$0.tensor] } ?? [])
        case .rope(let op): [op.input.tensor, op.table, op.position.tensor]
        case .attention(let op):
            [op.queries.tensor, op.keys, op.values, op.position.tensor] + (op.padding.map { [$0] } ?? [])
        case .swiGLU(let op): [op.input.tensor]
        case .readCache(let op): [op.cache, op.position.tensor]
        case .writeCache(let op): [op.input.tensor, op.position.tensor]
        case .gatedAdd(let op): [op.projected.tensor, op.scale.tensor, op.cache, op.position.tensor]
        case .penalize(let op): [op.logits.tensor, op.counts]
        case .argmax(let op): [op.logits.tensor, op.step.tensor]
        case .sample(let op): [op.logits.tensor, op.seed.tensor, op.step.tensor]
        case .tally(let op): [op.tokens.tensor, op.counts] + (op.count.map { [$0.tensor] } ?? [])
        case .flagRows(let op): [op.bounds.tensor, op.count.tensor]
        case .magnitude(let op): [op.input.tensor, op.result.tensor]
        case .advance(let op): [op.counter.tensor]
        }
    }

    /// The tensors the operation writes, wholly or in part.
    public var writes: [Tensor] {
        switch self {
        case .embed(let op): [op.output.tensor]
        case .rmsNorm(let op): [op.output.tensor]
        case .linear(let op): [op.output.tensor]
        case .rope(let op): [op.output.tensor]
        case .attention(let op): [op.output.tensor]
        case .swiGLU(let op): [op.output.tensor]
        case .readCache(let op): [op.output.tensor]
        case .writeCache(let op): [op.cache]
        case .gatedAdd(let op): [op.cache]
        case .penalize(let op): [op.logits.tensor]
        case .argmax(let op): [op.token.tensor, op.log]
        case .sample(let op): [op.weights.tensor, op.token.tensor, op.log]
        case .tally(let op): [op.counts]
        case .flagRows(let op): [op.flags]
        case .magnitude(let op): [op.result.tensor]
        case .advance(let op): [op.counter.tensor]
        }
    }

    /// Those of them that hold a model's weights as rows, for products and embeddings.
    public var weights: [Tensor] {
        switch self {
        case .embed(let op): [op.table]
        case .linear(let op): [op.weight]
        case .rmsNorm, .rope, .attention, .swiGLU, .readCache, .writeCache, .gatedAdd, .penalize, .argmax, .sample,
            .tally, .flagRows, .magnitude, .advance:
            []
        }
    }

    /// The operation's name in profiles: its kernel's.
    public var kernelName: String {
        switch self {
        case .embed: "embed"
        case .rmsNorm: "rms_norm"
        case .linear: "linear"
        case .rope: "rope"
        case .attention: "attention"
        case .swiGLU: "swiglu"
        case .readCache: "read_cache"
        case .writeCache: "write_cache"
        case .gatedAdd: "gated_add"
        case .penalize: "penalize"
        case .argmax: "argmax"
        case .sample: "sample"
        case .tally: "tally"
        case .flagRows: "flag_rows"
        case .magnitude: "magnitude"
        case .advance: "advance"
        }
    }
}

extension Graph {
    /// How often each tensor is an operand that is read, by its id.
    public var readCounts: [Int] {
        var counts = [Int](repeating: 0, count: tensors.count)
        for op in ops {
            for tensor in op.reads { counts[tensor.id] += 1 }
        }
        return counts
    }
}
