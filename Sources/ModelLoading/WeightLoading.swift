import Checkpoints
import Inference
import Synchronization

extension TensorStore {
    /// A tensor as a matrix of the given shape; a vector counts as one row.
    func matrix(_ name: String, rows: Int, columns: Int) throws -> HostMatrix {
        try tensor(name).matrix(rows: rows, columns: columns)
    }
}

extension HostTensor {
    /// The tensor as a matrix of the given shape; a vector counts as one row.
    ///
    /// - Parameter advice: what a wrong shape most likely means, for the error.
    /// - Throws: `LoadingError` for another shape or a type that is no floating-point one.
    func matrix(rows: Int, columns: Int, advice: String = "do config.json and weights belong together?") throws
        -> HostMatrix
    {
        guard shape == [rows, columns] || (rows == 1 && shape == [columns]) else {
            let wanted = rows == 1 ? "[\(columns)]" : "[\(rows), \(columns)]"
            throw LoadingError.shape("\(file): \(name) is \(shape), needed is \(wanted); \(advice)")
        }
        let type: ElementType
        switch dtype {
        case .f32: type = .f32
        case .f16: type = .f16
        case .bf16: type = .bf16
        case .f64:
            let rounded = Rounded(self)
            return HostMatrix(name: name, rows: rows, columns: columns, type: .f32) { body in
                try rounded.floats().withUnsafeBytes { try body($0) }
            }
        default:
            throw LoadingError.unsupported(
                "\(file): \(name) is of type \(dtype.rawValue); supported are F64, F32, F16 and BF16")
        }
        return HostMatrix(name: name, rows: rows, columns: columns, type: type) { [self] body in
            try withBytes(body)
            // The pages have been read once and won't be again; the file's part of memory can go.
            advise(.dontNeed)
        }
    }
}

/// A float64 tensor as float32, rounded when it is first asked for: a matrix is read in parts, and each part asks for all.
private final class Rounded: Sendable {
    private let tensor: HostTensor
    private let values = Mutex<[Float]?>(nil)

    init(_ tensor: HostTensor) {
        self.tensor = tensor
    }

    func floats() throws -> [Float] {
        try values.withLock { known in
            if let known { return known }
            let floats = try tensor.floats()
            tensor.advise(.dontNeed)
            known = floats
            return floats
        }
    }
}

extension WeightSource {
    /// Of all matrices, as they are in host memory.
    var byteCount: Int { batches.joined().reduce(0) { $0 + $1.rows * $1.columns * $1.type.byteCount } }

    /// The type all matrices are stored in, or float32 where they differ.
    var commonType: ElementType {
        let types = Set(batches.joined().map(\.type))
        return types.count == 1 ? types.first ?? .f32 : .f32
    }
}
