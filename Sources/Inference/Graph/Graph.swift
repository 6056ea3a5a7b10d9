/// A list of operations over tensor handles, in the order they are to appear to run.
///
/// A graph is built once for a shape (a prefill of n tokens, one decode step, a fusion of n tokens) and compiled
/// by a `Backend` into a `Plan`. It knows neither memory nor device.
public struct Graph: Sendable {
    public private(set) var name: String
    public private(set) var tensors: [TensorInfo] = []
    public private(set) var ops: [Op] = []
    /// Neighbouring ranges of `ops` that don't depend on each other, which a backend may run side by side.
    public private(set) var independentParts: [Range<Int>] = []
    private var boundByName: [String: Tensor] = [:]

    public init(name: String) {
        self.name = name
    }

    /// The tensor called `name` that the caller binds at compile time. Asking twice gives the same handle.
    public mutating func bound(_ name: String, _ shape: TensorShape, _ type: ElementType) -> Tensor {
        if let tensor = boundByName[name] {
            precondition(
                tensors[tensor.id].shape == shape && tensors[tensor.id].type == type,
                "\(name) is bound twice with different shapes")
            return tensor
        }
        let tensor = append(TensorInfo(name: name, shape: shape, type: type, storage: .bound))
        boundByName[name] = tensor
        return tensor
    }

    /// The handle for a tensor that a backend stores; its name is the binding's.
    public mutating func bound(_ stored: any StoredTensor) -> Tensor {
        bound(stored.name, stored.shape, stored.type)
    }

    /// A new float32 activation that lives while the graph runs.
    public mutating func scratch(_ name: String, _ shape: TensorShape) -> TensorView {
        TensorView(append(TensorInfo(name: name, shape: shape, type: .f32, storage: .scratch)), shape: shape)
    }

    public mutating func add(_ op: Op) {
        ops.append(op)
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
