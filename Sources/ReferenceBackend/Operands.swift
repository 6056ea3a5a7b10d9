import Inference

/// Where the tensors of a plan are, and how ops reach their elements.
struct Operands {
    /// A tensor's memory and element type.
    struct Storage {
        var base: UnsafeMutableRawPointer
        var type: ElementType
        var shape: TensorShape
    }

    var storage: [Storage]

    func storage(_ tensor: Tensor) -> Storage { storage[tensor.id] }

    /// A view of float32 values.
    func floats(_ view: TensorView) -> FloatView {
        FloatView(base: storage(view.tensor).base.assumingMemoryBound(to: Float.self), view: view)
    }

    /// A single u32.
    func counter(_ view: TensorView) -> UnsafeMutablePointer<UInt32> {
        storage(view.tensor).base.assumingMemoryBound(to: UInt32.self) + view.offset
    }

    /// The u32 values of a tensor.
    func numbers(_ tensor: Tensor) -> UnsafeMutablePointer<UInt32> {
        storage(tensor).base.assumingMemoryBound(to: UInt32.self)
    }

    /// A weight, cache or table of any type.
    func matrices(_ tensor: Tensor) -> StoredMatrices {
        let storage = storage(tensor)
        return StoredMatrices(base: storage.base, type: storage.type, shape: storage.shape)
    }
}

/// Float32 values addressed as [matrix, row, column].
struct FloatView {
    let base: UnsafeMutablePointer<Float>
    let view: TensorView

    subscript(matrix: Int, row: Int, column: Int) -> Float {
        get { base[index(matrix, row) + column] }
        nonmutating set { base[index(matrix, row) + column] = newValue }
    }

    /// The start of a row.
    func row(_ matrix: Int, _ row: Int) -> UnsafeMutablePointer<Float> {
        base + index(matrix, row)
    }

    private func index(_ matrix: Int, _ row: Int) -> Int {
        view.offset + matrix * view.batchStride + row * view.rowStride
    }
}

/// A whole tensor of any type addressed as [matrix, row, column], as float32.
struct StoredMatrices {
    let base: UnsafeMutableRawPointer
    let type: ElementType
    let shape: TensorShape

    subscript(matrix: Int, row: Int, column: Int) -> Float {
        type.load(row: address(matrix, row), column: column)
    }

    /// One row.
    func row(_ matrix: Int, _ row: Int) -> [Float] {
        let address = address(matrix, row)
        return (0..<shape.columns).map { type.load(row: address, column: $0) }
    }

    /// Rounds values to the tensor's type and stores them as one row; what it has no room for as NaN.
    func setRow(_ matrix: Int, _ row: Int, _ values: [Float]) {
        // Blocks see to it themselves.
        type.store(values.map { type.hasRoom(for: $0) ? $0 : .nan }, row: address(matrix, row))
    }

    private func address(_ matrix: Int, _ row: Int) -> UnsafeMutableRawPointer {
        base + matrix * type.matrixBytes(of: shape) + type.rowOffset(row, columns: shape.columns)
    }
}
