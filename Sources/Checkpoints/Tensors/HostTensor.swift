/// A tensor in host memory: row-major bytes in a mapped file, which it keeps alive, or bytes of its own.
public struct HostTensor: Sendable {
    private enum Storage: Sendable {
        case mapped(MappedRegion)
        case owned([UInt8])
    }

    public let layout: TensorLayout
    /// Path of the file it came from, for errors; "memory" for a tensor made here.
    public let file: String
    private let storage: Storage

    public var name: String { layout.name }
    public var dtype: TensorType { layout.dtype }
    public var shape: [Int] { layout.shape }
    public var elementCount: Int { layout.elementCount }
    public var byteCount: Int { layout.byteCount }

    /// A tensor over a region of a mapped file, which must be exactly as long as the layout says.
    init(layout: TensorLayout, region: MappedRegion) throws {
        guard region.count == layout.byteCount else {
            throw CheckpointError(
                .malformed, region.file.path,
                "tensor \(quoted(layout.name)) of shape \(layout.shape) and type \(layout.dtype.rawValue) needs "
                    + "\(layout.byteCount) bytes, not \(region.count)")
        }
        self.layout = layout
        file = region.file.path
        storage = .mapped(region)
    }

    /// A tensor that owns its bytes (little-endian, row-major).
    /// - Throws: `CheckpointError` if the number of bytes is not what type and shape need.
    public init(
        name: String, dtype: TensorType, shape: [Int], bytes: [UInt8], file: String = "memory"
    ) throws {
        layout = try TensorLayout(name: name, dtype: dtype, shape: shape, file: file)
        guard bytes.count == layout.byteCount else {
            throw CheckpointError(
                .invalidValue, file,
                "tensor \(quoted(name)) of shape \(shape) and type \(dtype.rawValue) needs \(layout.byteCount) bytes, "
                    + "got \(bytes.count)")
        }
        self.file = file
        storage = .owned(bytes)
    }

    /// A float32 tensor that owns its values (row-major).
    /// - Throws: `CheckpointError` if the number of values is not what the shape needs.
    public init(name: String, shape: [Int], floats: [Float]) throws {
        try self.init(
            name: name, dtype: .f32, shape: shape, bytes: floats.withUnsafeBytes { [UInt8]($0) })
    }

    /// Lends the row-major bytes; the pointer is valid only during `body`, and may be unaligned.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        switch storage {
        case .mapped(let region): try region.withBytes(body)
        case .owned(let bytes): try bytes.withUnsafeBytes(body)
        }
    }

    /// Tells the operating system how a mapped tensor will be used; nothing for one that owns its bytes.
    public func advise(_ advice: MappedFile.Advice) {
        if case .mapped(let region) = storage { region.advise(advice) }
    }

    /// The values as float32, row-major (float64 is rounded). Copies: meant for small tensors.
    /// - Throws: `CheckpointError` if the elements are not floating point.
    public func floats() throws -> [Float] {
        try withBytes { bytes in
            switch dtype {
            case .f32: bytes.elements(UInt32.self) { Float(bitPattern: $0) }
            case .f16: bytes.elements(UInt16.self) { Float(Float16(bitPattern: $0)) }
            case .bf16: bytes.elements(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
            case .f64: bytes.elements(UInt64.self) { Float(Double(bitPattern: $0)) }
            case .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool:
                throw CheckpointError(
                    .unsupported, file,
                    "tensor \(quoted(name)) is \(dtype.rawValue), expected F32, F16, BF16 or F64")
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Every element, read as little-endian bits and converted.
    fileprivate func elements<Bits: FixedWidthInteger>(_: Bits.Type, _ convert: (Bits) -> Float) -> [Float] {
        let size = MemoryLayout<Bits>.size
        return [Float](unsafeUninitializedCapacity: count / size) { values, initialized in
            for index in 0..<count / size {
                let bits = Bits(littleEndian: loadUnaligned(fromByteOffset: index * size, as: Bits.self))
                values.initializeElement(at: index, to: convert(bits))
            }
            initialized = count / size
        }
    }
}
