import CVulkan
import Synchronization

/// What a buffer's memory is for.
public enum MemoryKind: Sendable, CaseIterable {
    /// Fast for the device. Also mapped where the device shares the host's memory or opens all of its own to the host.
    case device
    /// Written by the device, read by the host: always mapped, cached by the host where the device has such memory.
    case hostReadable
    /// Written by the host, copied from by the device: always mapped.
    case staging
}

/// A range of device memory that kernels can bind. Its contents are undefined at first.
///
/// The memory goes back to its pool when the last reference goes. Recorded command lists, and submissions until they
/// complete, hold references; so nothing is reused while the GPU works with it.
public final class Buffer: @unchecked Sendable {
    /// What the buffer is for, in error messages.
    public let label: String
    public let byteCount: Int
    public let kind: MemoryKind
    /// Where the host sees the memory; nil where it cannot. Host access must not overlap with the device's: wait first.
    /// Reading through it is fast, and right, only where `isHostReadable`.
    public let mapped: UnsafeMutableRawPointer?
    /// Mapped in cached memory: the host reads what a completed submission wrote directly.
    public let isHostReadable: Bool

    /// The block's VkBuffer, and where this buffer starts in it.
    let handle: VkBuffer
    let offset: Int
    /// Timeline value of the last submission that uses the buffer.
    let lastUse = Atomic<UInt64>(0)
    private let allocation: MemoryPool.Allocation
    private let pool: MemoryPool

    init(label: String, byteCount: Int, kind: MemoryKind, allocation: MemoryPool.Allocation, pool: MemoryPool) {
        self.label = label
        self.byteCount = byteCount
        self.kind = kind
        self.allocation = allocation
        self.pool = pool
        handle = allocation.block.bufferHandle
        offset = allocation.range.lowerBound
        mapped = allocation.block.mapped.map { $0 + allocation.range.lowerBound }
        isHostReadable = mapped != nil && allocation.block.isCached
    }

    deinit {
        pool.release(allocation)
    }

    /// The bytes from `offset`; throws unless they lie within the buffer.
    func range(_ offset: Int, _ count: Int, _ operation: String) throws -> Range<Int> {
        guard offset >= 0, count >= 0, offset <= byteCount, count <= byteCount - offset else {
            throw VulkanError.invalidRange(
                label: label, problem: "\(operation) of \(count) bytes from \(offset), the buffer has \(byteCount)")
        }
        return offset..<offset + count
    }
}

/// A buffer as an argument of a dispatch: a byte range and what the kernel does with it.
public struct BufferBinding: Sendable {
    public enum Access: Sendable {
        case read, write, readWrite
    }

    public let buffer: Buffer
    /// Bytes from the buffer's start; a multiple of the device's `minStorageBufferOffsetAlignment`.
    public let offset: Int
    public let byteCount: Int
    public let access: Access

    /// - Parameter byteCount: nil = to the buffer's end.
    public init(_ buffer: Buffer, offset: Int = 0, byteCount: Int? = nil, access: Access) {
        self.buffer = buffer
        self.offset = offset
        self.byteCount = byteCount ?? (buffer.byteCount - offset)
        self.access = access
    }

    public static func read(_ buffer: Buffer, offset: Int = 0, byteCount: Int? = nil) -> Self {
        Self(buffer, offset: offset, byteCount: byteCount, access: .read)
    }

    public static func write(_ buffer: Buffer, offset: Int = 0, byteCount: Int? = nil) -> Self {
        Self(buffer, offset: offset, byteCount: byteCount, access: .write)
    }

    public static func readWrite(_ buffer: Buffer, offset: Int = 0, byteCount: Int? = nil) -> Self {
        Self(buffer, offset: offset, byteCount: byteCount, access: .readWrite)
    }

    /// The same bytes, used in another way.
    public func with(_ access: Access) -> Self {
        Self(buffer, offset: offset, byteCount: byteCount, access: access)
    }
}
