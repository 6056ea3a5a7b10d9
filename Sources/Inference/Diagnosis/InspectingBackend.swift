/// A backend that looks, after every operation, at what the operation wrote, and ends a run that wrote something infinite or NaN.
///
/// It is slow and takes more launches; it is for finding out where numbers end, once it is known that they do.
final class InspectingBackend: Backend {
    /// An operation that wrote what is no number. It doesn't leave the thread that the backend is used from.
    struct Finding: Error, @unchecked Sendable {
        var graph: Graph
        /// Index in the graph's operations.
        var op: Int
        /// The first column with such a value.
        var column: Int
        /// The largest magnitude that the operation was given to store in a cache.
        var given: Float?
    }

    private let inner: any Backend

    init(_ inner: any Backend) {
        self.inner = inner
    }

    /// A plan with a look at what each operation wrote.
    private final class InspectedPlan: Plan {
        /// The graph without the looks.
        let graph: Graph
        let plan: any Plan
        /// Two u32 for each look; see `Magnitude`.
        let results: any StoredTensor
        /// By look: the operation, and whether it is a look at what that was given.
        let looks: [(op: Int, isInput: Bool)]

        init(graph: Graph, plan: any Plan, results: any StoredTensor, looks: [(op: Int, isInput: Bool)]) {
            self.graph = graph
            self.plan = plan
            self.results = results
            self.looks = looks
        }

        var name: String { plan.name }
    }

    func compile(_ graph: Graph) throws -> any Plan {
        let mostLooks = 2 * graph.ops.count
        let results = try inner.makeTensor(
            "magnitudes", TensorShape(columns: max(2, 2 * mostLooks)), .u32, placement: .device)
        var looks: [(op: Int, isInput: Bool)] = []
        var index = 0
        let inspected = graph.following { op, graph in
            defer { index += 1 }
            func look(at view: TensorView, isInput: Bool = false) {
                let place = 2 * looks.count
                let result = graph.boundView(results).columns(place..<place + 2)
                graph.add(.magnitude(Magnitude(input: view, result: result)))
                looks.append((index, isInput))
            }
            switch op {
            case .embed(let op): look(at: op.output)
            case .rmsNorm(let op): look(at: op.output)
            case .linear(let op): look(at: op.output)
            case .rope(let op): look(at: op.output)
            case .attention(let op): look(at: op.output)
            case .swiGLU(let op): look(at: op.output)
            case .readCache(let op): look(at: op.output)
            case .writeCache(let op):
                look(at: op.input, isInput: true)
                look(at: stored(op.input, in: op.cache, from: op.position, &graph))
            case .gatedAdd(let op):
                look(at: stored(op.projected, in: op.cache, from: op.position, &graph))
            case .penalize(let op): look(at: op.logits)
            case .argmax, .sample, .tally, .flagRows, .magnitude, .advance: break
            }
        }
        return InspectedPlan(graph: graph, plan: try inner.compile(inspected), results: results, looks: looks)
    }

    /// Rows as a cache has them now.
    private func stored(
        _ rows: TensorView, in cache: Tensor, from position: TensorView, _ graph: inout Graph
    ) -> TensorView {
        let read = graph.scratch("stored", TensorShape(rows: rows.rows, columns: rows.columns))
        graph.add(.readCache(CacheRead(cache: cache, position: position, output: read)))
        return read
    }

    @discardableResult
    func execute(_ plan: any Plan, inputs: [PlanInput], phase: Phase) throws -> Execution {
        guard let plan = plan as? InspectedPlan else {
            throw InferenceError.badGraph("\(plan.name) was compiled by another backend")
        }
        let numbers = 2 * plan.looks.count
        let cleared = PlanInput(plan.results, Array(repeating: 0, count: numbers))
        let execution = try inner.execute(plan.plan, inputs: inputs + [cleared], phase: phase)
        let found = try inner.readIDs(plan.results, 0..<numbers)
        for (index, look) in plan.looks.enumerated() where found[2 * index] >= Float.infinity.bitPattern {
            let isAfterInput = index > 0 && plan.looks[index - 1].op == look.op
            throw Finding(
                graph: plan.graph, op: look.op, column: Int(~found[2 * index + 1]),
                given: isAfterInput ? Float(bitPattern: found[2 * index - 2]) : nil)
        }
        return execution
    }

    // MARK: As the backend within

    var name: String { inner.name }
    var maximumOutputBytes: Int { inner.maximumOutputBytes }
    /// The looks keep an order.
    var runsKernelsSideBySide: Bool { false }
    var memory: MemoryUse { inner.memory }
    var availableBytes: Int { inner.availableBytes }
    var compileTime: CompileTime { inner.compileTime }

    func makeTensor(
        _ name: String, _ shape: TensorShape, _ type: ElementType, placement: TensorPlacement
    ) throws -> any StoredTensor {
        try inner.makeTensor(name, shape, type, placement: placement)
    }

    func makeTensor(_ name: String, _ source: WeightSource, type: ElementType) throws -> any StoredTensor {
        try inner.makeTensor(name, source, type: type)
    }

    func makeRandomTensor(
        _ name: String, _ shape: TensorShape, _ type: ElementType, seed: UInt32, scale: Float
    ) throws -> any StoredTensor {
        try inner.makeRandomTensor(name, shape, type, seed: seed, scale: scale)
    }

    func wait(_ execution: Execution) throws { try inner.wait(execution) }
    func read(_ tensor: any StoredTensor) throws -> [Float] { try inner.read(tensor) }
    func readIDs(_ tensor: any StoredTensor, _ range: Range<Int>) throws -> [UInt32] {
        try inner.readIDs(tensor, range)
    }
    func seconds(in phase: Phase) throws -> Double { try inner.seconds(in: phase) }
    func resetTimings() throws { try inner.resetTimings() }
}
