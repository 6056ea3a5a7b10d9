/// A handle of a tensor in one `Graph`.
public struct Tensor: Hashable, Sendable {
    public let id: Int
}

/// Where a tensor of a graph lives.
public enum TensorStorage {
    /// Outlives the graph: a weight, a cache, an input or a result.
    case bound(any StoredTensor)
    /// Exists while the graph runs; the plan shares its memory with other tensors.
    case scratch
}

/// What a graph knows of a tensor.
public struct TensorInfo {
    /// Names the tensor for people, in errors and profiles.
    public var name: String
    public var shape: TensorShape
    public var type: ElementType
    public var storage: TensorStorage

    public var isScratch: Bool { stored == nil }

    /// The tensor itself, where it outlives the graph.
    public var stored: (any StoredTensor)? {
        if case .bound(let stored) = storage { stored } else { nil }
    }
}

/// A rectangle of a tensor: `batch` matrices of `rows` by `columns` with strides in elements.
public struct TensorView: Hashable, Sendable {
    public let tensor: Tensor
    public private(set) var batch: Int
    public private(set) var rows: Int
    public private(set) var columns: Int
    /// Elements from the start of the tensor.
    public private(set) var offset: Int
    public let rowStride: Int
    public let batchStride: Int

    /// The whole of a tensor.
    public init(_ tensor: Tensor, shape: TensorShape) {
        self.tensor = tensor
        batch = shape.batch
        rows = shape.rows
        columns = shape.columns
        offset = 0
        rowStride = shape.rowStride
        batchStride = shape.batchStride
    }

    /// The columns in `range`, of every row.
    public func columns(_ range: Range<Int>) -> TensorView {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns outside the view")
        var view = self
        view.offset += range.lowerBound
        view.columns = range.count
        return view
    }

    /// Takes in as many columns more, to the right.
    public mutating func append(columns count: Int) {
        columns += count
    }

    /// The rows in `range`, of every matrix.
    public func rows(_ range: Range<Int>) -> TensorView {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows outside the view")
        var view = self
        view.offset += range.lowerBound * rowStride
        view.rows = range.count
        return view
    }

    /// Matrix `index` alone.
    public func matrix(_ index: Int) -> TensorView {
        precondition(index >= 0 && index < batch, "matrix outside the view")
        var view = self
        view.offset += index * batchStride
        view.batch = 1
        return view
    }

    /// Elements from the first one of the view to just past the last.
    public var extent: Int {
        batch == 0 || rows == 0 ? 0 : (batch - 1) * batchStride + (rows - 1) * rowStride + columns
    }
}
