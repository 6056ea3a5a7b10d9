import CVulkan

/// Remembers which bytes were read and written since the last barrier, and says when an access has to wait for one.
struct HazardTracker {
    /// A byte range of a VkBuffer. Buffers that share a block share its VkBuffer, so ranges are the block's.
    struct Access {
        let buffer: VkBuffer
        let range: Range<Int>
        let reads: Bool
        let writes: Bool

        fileprivate func overlaps(_ other: Access) -> Bool {
            buffer == other.buffer && range.overlaps(other.range)
        }
    }

    private var reads: [Access] = []
    private var writes: [Access] = []

    /// Read after write, write after read, or write after write, on bytes in common.
    func conflicts(_ access: Access) -> Bool {
        if writes.contains(where: { $0.overlaps(access) }) { return true }
        return access.writes && reads.contains { $0.overlaps(access) }
    }

    mutating func add(_ access: Access) {
        if access.writes { writes.append(access) }
        if access.reads { reads.append(access) }
    }

    /// After a barrier.
    mutating func clear() {
        reads.removeAll(keepingCapacity: true)
        writes.removeAll(keepingCapacity: true)
    }
}

extension HazardTracker.Access {
    /// Bytes `range` of `buffer`, counted from its start.
    init(_ buffer: Buffer, _ range: Range<Int>, reads: Bool = false, writes: Bool = false) {
        self.init(
            buffer: buffer.handle, range: buffer.offset + range.lowerBound..<buffer.offset + range.upperBound,
            reads: reads, writes: writes)
    }
}
