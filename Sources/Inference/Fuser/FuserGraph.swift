/// How the fusers of several sharers combine.
public enum FusionMode: String, Sendable, CaseIterable {
    /// In order, each reading the cache as the one before left it.
    case sequential
    /// Each reads the receiver's own rows; what they add is summed.
    case parallel
}

/// Rows of one sequence that are fused, among those of sequences that are fused together.
struct FusedRows {
    /// The receiver's cache, whose rows are changed.
    let receiver: KVCache
    /// By fuser: the cache it reads.
    let sharers: [KVCache]
    let tokens: Int
    /// One u32: the first row that is fused.
    let start: TensorView
}

/// Emits C2C projectors (arXiv 2510.03215, figure 4) into a graph: all open projections of a fuser as one batch, over the
/// rows of all sequences.
struct FuserGraph {
    let fusers: [Fuser]
    let sequences: [FusedRows]
    /// By sequence: its rows in every activation.
    private let ranges: [Range<Int>]
    private var rowCount: Int { ranges.last?.upperBound ?? 0 }

    init(_ fusers: [Fuser], _ sequences: [FusedRows]) {
        self.fusers = fusers
        self.sequences = sequences
        ranges = sequences.map(\.tokens).stackedRanges
    }

    /// The rows of both caches that a fuser reads, token by token.
    private struct Inputs {
        var sharer: TensorView
        var receiver: TensorView
    }

    func emit(mode: FusionMode, into graph: inout Graph) {
        switch mode {
        case .sequential:
            for index in fusers.indices {
                let inputs = emitReads(index, into: &graph)
                emitProjections(fusers[index], inputs, into: &graph)
            }
        case .parallel:
            // All rows are read before any is changed.
            let inputs = fusers.indices.map { emitReads($0, into: &graph) }
            for (fuser, inputs) in zip(fusers, inputs) {
                emitProjections(fuser, inputs, into: &graph)
            }
        }
    }

    private func emitReads(_ index: Int, into graph: inout Graph) -> Inputs {
        let description = fusers[index].description
        let batch = description.open.count
        let inputs = Inputs(
            sharer: graph.scratch(
                "sharer_rows", TensorShape(batch: batch, rows: rowCount, columns: description.sharerWidth)),
            receiver: graph.scratch(
                "receiver_rows", TensorShape(batch: batch, rows: rowCount, columns: description.receiverWidth)))
        for (matrix, projection) in description.open.enumerated() {
            for (sequence, range) in zip(sequences, ranges) {
                let sharerRows = sequence.sharers[index].tensor(projection.half, layer: projection.sharerLayer)
                graph.add(
                    .readCache(
                        CacheRead(
                            cache: graph.bound(sharerRows), position: sequence.start,
                            output: inputs.sharer.matrix(matrix).rows(range))))
                let receiverRows = sequence.receiver.tensor(projection.half, layer: projection.receiverLayer)
                graph.add(
                    .readCache(
                        CacheRead(
                            cache: graph.bound(receiverRows), position: sequence.start,
                            output: inputs.receiver.matrix(matrix).rows(range))))
            }
        }
        return inputs
    }

    private func emitProjections(_ fuser: Fuser, _ inputs: Inputs, into graph: inout Graph) {
        let description = fuser.description
        let hidden = scratch("projector_hidden", description.hiddenSize, fuser, into: &graph)
        // The concatenation of both rows is never made: each part has its own columns of the weight.
        emitLinear(fuser, .sharerInput, bias: .inputBias, inputs.sharer, output: hidden, into: &graph)
        emitLinear(fuser, .receiverInput, inputs.receiver, residual: hidden, output: hidden, into: &graph)
        emitBlock(.input, fuser, hidden, output: hidden, into: &graph)

        let scalarHidden = scratch("scalar_hidden", description.hiddenSize, fuser, into: &graph)
        emitBlock(.scalar, fuser, hidden, output: scalarHidden, into: &graph)
        let scale = scratch("scale", description.receiverKVHeadCount, fuser, into: &graph)
        emitLinear(fuser, .scalarHead, bias: .scalarHeadBias, scalarHidden, output: scale, into: &graph)

        for block in 0..<description.projectionBlockCount {
            emitBlock(.projection(block), fuser, hidden, output: hidden, into: &graph)
        }
        let projected = scratch("projected", description.receiverWidth, fuser, into: &graph)
        emitLinear(fuser, .projectionOutput, bias: .projectionOutputBias, hidden, output: projected, into: &graph)

        for (matrix, projection) in description.open.enumerated() {
            for (sequence, range) in zip(sequences, ranges) {
                let rows = sequence.receiver.tensor(projection.half, layer: projection.receiverLayer)
                graph.add(
                    .gatedAdd(
                        GatedAdd(
                            projected: projected.matrix(matrix).rows(range), scale: scale.matrix(matrix).rows(range),
                            cache: graph.bound(rows), position: sequence.start)))
            }
        }
    }

    /// `output = x + w2(gelu(w1(norm(x))))`.
    private func emitBlock(
        _ block: FuserWeightSlot.Block, _ fuser: Fuser, _ x: TensorView, output: TensorView, into graph: inout Graph
    ) {
        let description = fuser.description
        let normed = scratch("projector_norm", description.hiddenSize, fuser, into: &graph)
        graph.add(
            .rmsNorm(
                RMSNorm(
                    input: x, weight: graph.bound(fuser.weight(.norm(block))), groups: 1, epsilon: 1e-6,
                    output: normed)))
        let inner = scratch("projector_inner", description.width(of: block), fuser, into: &graph)
        emitLinear(fuser, .blockUp(block), normed, activation: .gelu, output: inner, into: &graph)
        emitLinear(fuser, .blockDown(block), inner, residual: x, output: output, into: &graph)
    }

    private func emitLinear(
        _ fuser: Fuser, _ weight: FuserWeightSlot.Role, bias: FuserWeightSlot.Role? = nil, _ input: TensorView,
        activation: Activation = .none, residual: TensorView? = nil, output: TensorView, into graph: inout Graph
    ) {
        graph.add(
            .linear(
                Linear(
                    input: input, weight: graph.bound(fuser.weight(weight)),
                    bias: bias.map { graph.bound(fuser.weight($0)) }, activation: activation, residual: residual,
                    output: output)))
    }

    private func scratch(_ name: String, _ columns: Int, _ fuser: Fuser, into graph: inout Graph) -> TensorView {
        graph.scratch(
            name, TensorShape(batch: fuser.description.open.count, rows: rowCount, columns: columns))
    }
}

extension KVCache {
    /// A layer's keys or values.
    func tensor(_ half: CacheHalf, layer: Int) -> any StoredTensor {
        half == .key ? keys[layer] : values[layer]
    }
}
