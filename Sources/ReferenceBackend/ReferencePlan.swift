import Inference

/// A graph with memory for its tensors. Scratch is shared as on a device, so a mistake in sharing shows here too.
final class ReferencePlan: Plan {
    let name: String
    private let ops: [Op]
    private let operands: Operands
    private let scratch: ReferenceTensor
    private let bound: [any StoredTensor]

    init(_ graph: Graph, ledger: MemoryLedger) throws {
        name = graph.name
        ops = graph.ops
        let places = ScratchPlan(graph, alignment: 64)
        scratch = ReferenceTensor(
            name: "scratch", shape: TensorShape(columns: places.byteCount / 4 + 8), type: .f32,
            isScratch: true, ledger: ledger)
        bound = graph.tensors.compactMap(\.stored)
        guard let scratchBase = scratch.bytes.baseAddress else {
            throw InferenceError.badGraph("\(graph.name): no scratch memory")
        }
        var storage: [Operands.Storage] = []
        for tensor in graph.handles {
            let info = graph.info(tensor)
            switch info.storage {
            case .scratch:
                let offset = places.offsets[tensor] ?? 0
                storage.append(Operands.Storage(base: scratchBase + offset, type: info.type, shape: info.shape))
            case .bound(let stored):
                guard let tensor = stored as? ReferenceTensor, let base = tensor.bytes.baseAddress else {
                    throw InferenceError.badGraph("\(info.name) is bound to another backend's tensor")
                }
                storage.append(Operands.Storage(base: base, type: info.type, shape: info.shape))
            }
        }
        operands = Operands(storage: storage)
    }

    func run() {
        for op in ops {
            switch op {
            case .embed(let op): op.run(operands)
            case .rmsNorm(let op): op.run(operands)
            case .linear(let op): op.run(operands)
            case .rope(let op): op.run(operands)
            case .attention(let op): op.run(operands)
            case .swiGLU(let op): op.run(operands)
            case .readCache(let op): op.run(operands)
            case .writeCache(let op): op.run(operands)
            case .gatedAdd(let op): op.run(operands)
            case .penalize(let op): op.run(operands)
            case .argmax(let op): op.run(operands)
            case .sample(let op): op.run(operands)
            case .tally(let op): op.run(operands)
            case .flagRows(let op): op.run(operands)
            case .magnitude(let op): op.run(operands)
            case .advance(let op): op.run(operands)
            }
        }
    }
}
