/// A list of operations over tensor handles, in the order they are to appear to run.
///
/// A graph is built once for a shape (a prefill of n tokens, one decode step, a fusion of n tokens) and compiled
/// by a `Backend` into a `Plan`. It knows neither memory nor device.
public struct Graph {
    public private(set) var name: String
    public private(set) var tensors: [TensorInfo] = []
    public private(set) var ops: [Op] = []
    /// Neighbouring ranges of `ops` that don't depend on each other, which a backend may run side by side.
    public private(set) var independentParts: [Range<Int>] = []
    private var handlesOfStored: [ObjectIdentifier: Tensor] = [:]

    public init(name: String) {
        self.name = name
    }

    /// The handle for a tensor that a backend stores: a weight, a cache, an input or a result. Asking twice gives the same one.
    public mutating func bound(_ stored: any StoredTensor) -> Tensor {
        if let tensor = handlesOfStored[ObjectIdentifier(stored)] { return tensor }
        let tensor = append(
            TensorInfo(name: stored.name, shape: stored.shape, type: stored.type, storage: .bound(stored)))
        handlesOfStored[ObjectIdentifier(stored)] = tensor
        return tensor
    }

    /// A new float32 activation that lives while the graph runs.
    public mutating func scratch(_ name: String, _ shape: TensorShape) -> TensorView {
        TensorView(append(TensorInfo(name: name, shape: shape, type: .f32, storage: .scratch)), shape: shape)
    }

    public mutating func add(_ op: Op) {
        ops.append(op)
    }

    /// The same graph with more ops after each of its own.
    func following(_ add: (_ op: Op, _ graph: inout Graph) -> Void) -> Graph {
        var graph = self
        graph.ops = []
        graph.independentParts = []
        for op in ops {
            graph.ops.append(op)
            add(op, &graph)
        }
        return graph
    }

    /// Adds parts of which none writes what another reads or writes. A graph has such parts at one place at most.
    public mutating func addIndependent(_ parts: [(inout Graph) -> Void]) {
        precondition(independentParts.isEmpty, "\(name) has independent parts already")
        for part in parts {
            let start = ops.count
            part(&self)
            independentParts.append(start..<ops.count)
        }
    }

    /// The handles of all tensors, in the order of `tensors`.
    public var handles: [Tensor] { tensors.indices.map { Tensor(id: $0) } }

    public func info(_ tensor: Tensor) -> TensorInfo {
        tensors[tensor.id]
    }

    /// All of a tensor that a backend stores, as a view.
    public mutating func boundView(_ stored: any StoredTensor) -> TensorView {
        TensorView(bound(stored), shape: stored.shape)
    }

    private mutating func append(_ info: TensorInfo) -> Tensor {
        tensors.append(info)
        return Tensor(id: tensors.count - 1)
    }
}
