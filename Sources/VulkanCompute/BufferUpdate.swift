/// Bytes to be written to a buffer in stream order.
public struct BufferUpdate: Sendable {
    public var buffer: Buffer
    /// Bytes from the buffer's start; a multiple of 4, as is the number of bytes.
    public var offset: Int
    public var bytes: [UInt8]

    public init(_ buffer: Buffer, offset: Int = 0, bytes: [UInt8]) {
        self.buffer = buffer
        self.offset = offset
        self.bytes = bytes
    }

    public init<Value: BitwiseCopyable>(_ buffer: Buffer, offset: Int = 0, values: [Value]) {
        self.init(buffer, offset: offset, bytes: values.withUnsafeBytes { Array($0) })
    }

    /// The most bytes that vkCmdUpdateBuffer takes.
    private static let mostBytes = 65536

    /// The update in parts that a command takes; none of nothing.
    fileprivate var parts: [BufferUpdate] {
        if bytes.count <= Self.mostBytes { return bytes.isEmpty ? [] : [self] }
        return stride(from: 0, to: bytes.count, by: Self.mostBytes).map { start in
            let end = min(start + Self.mostBytes, bytes.count)
            return BufferUpdate(buffer, offset: offset + start, bytes: Array(bytes[start..<end]))
        }
    }
}

extension [BufferUpdate] {
    /// The updates in parts that a command takes.
    /// - Throws: `VulkanError.invalidRange` where one doesn't fit its buffer.
    func checked() throws -> [BufferUpdate] {
        for update in self {
            _ = try update.buffer.range(update.offset, update.bytes.count, "update")
            guard update.bytes.count % 4 == 0, update.offset % 4 == 0 else {
                throw VulkanError.invalidRange(
                    label: update.buffer.label,
                    problem: "update of \(update.bytes.count) bytes from \(update.offset); both are multiples of 4")
            }
        }
        return flatMap(\.parts)
    }
}
