import Foundation

/// Brings bytes to buffers and back: directly where the host maps them, else through staging memory.
final class Transfers: @unchecked Sendable {
    private let pool: MemoryPool
    private let queue: SubmissionQueue
    private let forceStaging: Bool
    private let chunkBytes: Int

    private let lock = NSLock()
    // Guarded by `lock`; made when first needed:
    private var ring: [Buffer] = []
    private var next = 0
    private var readback: Buffer?

    /// Three: one being filled, one being copied, one in reserve.
    private static let ringCount = 3

    init(pool: MemoryPool, queue: SubmissionQueue, forceStaging: Bool, chunkBytes: Int) {
        self.pool = pool
        self.queue = queue
        self.forceStaging = forceStaging
        self.chunkBytes = max(chunkBytes, 4)
    }

    func upload(
        to buffer: Buffer, range: Range<Int>, granularity: Int,
        fill: (_ chunk: UnsafeMutableRawBufferPointer, _ offset: Int) throws -> Void
    ) throws {
        if !forceStaging || buffer.kind != .device, let mapped = buffer.mapped {
            try queue.waitForUse(of: buffer)
            // In chunks here too, so that a source in a mapped file can let go of its pages as it is read.
            let step = max(chunkBytes / granularity, 1) * granularity
            for start in stride(from: 0, to: range.count, by: step) {
                let target = mapped + range.lowerBound + start
                try fill(
                    UnsafeMutableRawBufferPointer(start: target, count: min(step, range.count - start)), start)
            }
            return
        }
        guard granularity <= chunkBytes else {
            throw VulkanError.invalidRange(
                label: buffer.label, problem: "upload in pieces of \(granularity) bytes, staging holds \(chunkBytes)")
        }
        let step = chunkBytes / granularity * granularity
        try lock.withLock {
            for start in stride(from: 0, to: range.count, by: step) {
                let count = min(step, range.count - start)
                let chunk = try nextChunk()
                // Only this chunk's own last copy: the others go on meanwhile.
                try queue.waitForUse(of: chunk)
                try fill(UnsafeMutableRawBufferPointer(start: chunk.mapped, count: count), start)
                _ = try queue.submit(using: [chunk, buffer]) {
                    $0.copy(from: chunk, at: 0, to: buffer, at: range.lowerBound + start, byteCount: count)
                }
            }
        }
    }

    func download(from buffer: Buffer, range: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws {
        if !forceStaging || buffer.kind != .device, buffer.isHostReadable, let mapped = buffer.mapped {
            try queue.waitForUse(of: buffer)
            target.copyMemory(from: UnsafeRawBufferPointer(start: mapped + range.lowerBound, count: range.count))
            return
        }
        try lock.withLock {
            let chunk = try readback ?? pool.makeBuffer(label: "readback", byteCount: chunkBytes, kind: .hostReadable)
            readback = chunk
            for start in stride(from: 0, to: range.count, by: chunkBytes) {
                let count = min(chunkBytes, range.count - start)
                let value = try queue.submit(using: [chunk, buffer]) {
                    $0.copy(from: buffer, at: range.lowerBound + start, to: chunk, at: 0, byteCount: count)
                }
                try queue.wait(value)
                UnsafeMutableRawBufferPointer(rebasing: target[start..<start + count])
                    .copyMemory(from: UnsafeRawBufferPointer(start: chunk.mapped, count: count))
            }
        }
    }

    private func nextChunk() throws -> Buffer {
        if ring.count < Self.ringCount {
            ring.append(try pool.makeBuffer(label: "staging", byteCount: chunkBytes, kind: .staging))
            return ring[ring.count - 1]
        }
        defer { next = (next + 1) % ring.count }
        return ring[next]
    }
}

extension Device {
    /// Writes `byteCount` bytes of `buffer` from `offset`, as later submissions see them; earlier ones are not disturbed.
    /// - Parameters:
    ///   - granularity: every chunk but the last is a multiple of this many bytes.
    ///   - fill: writes a chunk; gets where the chunk starts, in bytes from `offset`. Must not transfer itself. Chunks
    ///     come in order.
    /// - Throws: what `fill` throws (the range's contents are undefined then), or `VulkanError`.
    public func upload(
        to buffer: Buffer, offset: Int = 0, byteCount: Int, granularity: Int = 1,
        fill: (_ chunk: UnsafeMutableRawBufferPointer, _ offset: Int) throws -> Void
    ) throws {
        let range = try buffer.range(offset, byteCount, "upload")
        guard byteCount > 0 else { return }
        try transfers.upload(to: buffer, range: range, granularity: max(1, granularity), fill: fill)
    }

    /// Writes `values` to `buffer` from byte `offset`.
    public func upload<Value: BitwiseCopyable>(_ values: [Value], to buffer: Buffer, offset: Int = 0) throws {
        try values.withUnsafeBytes { source in
            try upload(to: buffer, offset: offset, byteCount: source.count) { chunk, start in
                chunk.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[start..<start + chunk.count]))
            }
        }
    }

    /// Reads bytes of `buffer` from `offset` into `target`, after all queued work that uses the buffer.
    public func download(
        from buffer: Buffer, offset: Int = 0, into target: UnsafeMutableRawBufferPointer
    ) throws {
        let range = try buffer.range(offset, target.count, "download")
        guard !range.isEmpty else { return }
        try transfers.download(from: buffer, range: range, into: target)
    }

    /// `count` values from byte `offset` of `buffer`, after all queued work that uses the buffer.
    public func download<Value: BitwiseCopyable>(
        _ type: Value.Type, from buffer: Buffer, offset: Int = 0, count: Int
    ) throws -> [Value] {
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Value>.stride)
        _ = try buffer.range(offset, overflow ? -1 : byteCount, "download")
        return try [Value](unsafeUninitializedCapacity: count) { values, initialized in
            try download(from: buffer, offset: offset, into: UnsafeMutableRawBufferPointer(values))
            initialized = count
        }
    }

    /// Writes bytes in stream order: later submissions see them, earlier ones do not. Never waits. It goes through the command
    /// stream, so it is for counters and lists, not for weights.
    /// - Throws: `VulkanError.invalidRange`.
    public func update(_ update: BufferUpdate) throws {
        queue.enqueueUpdates(try [update].checked())
    }

    /// `update` with an array of values.
    public func update<Value: BitwiseCopyable>(_ buffer: Buffer, offset: Int = 0, values: [Value]) throws {
        try update(BufferUpdate(buffer, offset: offset, values: values))
    }
}
