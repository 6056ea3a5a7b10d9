/// A tensor without its bytes: name, element type and shape, with the size they imply.
public struct TensorLayout: Sendable, Hashable {
    public static let maximumRank = 16
    /// Longest name in UTF-8 bytes.
    public static let maximumNameLength = 256

    public let name: String
    public let dtype: TensorType
    /// Row-major, outermost dimension first; empty for a scalar.
    public let shape: [Int]
    public let elementCount: Int
    public let byteCount: Int

    /// - Parameter file: the file the tensor belongs to, for the error.
    /// - Throws: `CheckpointError` if a dimension is negative, the rank is above `maximumRank`, the name is
    ///   overlong, or the size in bytes does not fit an `Int`.
    public init(name: String, dtype: TensorType, shape: [Int], file: String) throws {
        guard name.utf8.count <= Self.maximumNameLength else {
            throw CheckpointError(.tooLarge, file, "the tensor name \(quoted(name)) is \(name.utf8.count) bytes long")
        }
        guard shape.count <= Self.maximumRank else {
            throw CheckpointError(.tooLarge, file, "tensor \(quoted(name)) has \(shape.count) dimensions")
        }
        var elements = 1
        var overflow = false
        for dimension in shape {
            guard dimension >= 0 else {
                throw CheckpointError(.malformed, file, "tensor \(quoted(name)) has shape \(shape)")
            }
            let product = elements.multipliedReportingOverflow(by: dimension)
            elements = product.partialValue
            overflow = overflow || product.overflow
        }
        let bytes = elements.multipliedReportingOverflow(by: dtype.elementSize)
        guard !overflow, !bytes.overflow else {
            throw CheckpointError(.malformed, file, "tensor \(quoted(name)) has shape \(shape), more than fits memory")
        }
        self.name = name
        self.dtype = dtype
        self.shape = shape
        elementCount = elements
        byteCount = bytes.partialValue
    }
}
