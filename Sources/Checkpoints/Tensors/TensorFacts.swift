/// What a file says about a tensor of any element type, those that aren't read among them.
public struct TensorFacts: Sendable, Hashable {
    public let name: String
    /// As the file names the element type, such as `BF16` or `F8_E4M3`.
    public let type: String
    /// Row-major, outermost dimension first; empty for a scalar.
    public let shape: [Int]
    public let elementCount: Int
    public let byteCount: Int

    init(_ layout: TensorLayout) {
        name = layout.name
        type = layout.dtype.rawValue
        shape = layout.shape
        elementCount = layout.elementCount
        byteCount = layout.byteCount
    }

    /// A tensor of a type that isn't read, so that its size in bytes is not checked against its shape.
    /// - Throws: `CheckpointError` for a name or a shape beyond what `TensorLayout` accepts.
    init(name: String, unreadType type: String, shape: [Int], byteCount: Int, file: String) throws {
        let elements = try TensorLayout(name: name, dtype: .u8, shape: shape, file: file).elementCount
        self.name = name
        self.type = type
        self.shape = shape
        elementCount = elements
        self.byteCount = byteCount
    }
}
