import CVulkan
import Foundation

/// How much memory a device's buffers take, in bytes.
public struct MemoryStatistics: Sendable {
    /// In buffers now, rounded up to the alignment. Includes released buffers that a running submission still uses.
    public let inUse: Int
    /// The most `inUse` has been.
    public let peak: Int
    /// Taken from the driver: in use, and free for new buffers.
    public let reserved: Int
}

/// Few large device allocations, sub-allocated; large buffers have one of their own. Thread-safe.
final class MemoryPool: @unchecked Sendable {
    /// A range of a block.
    struct Allocation {
        let block: MemoryBlock
        let range: Range<Int>
    }

    private let device: LogicalDevice
    private let choices: [MemoryKind: MemoryTypeChoice]
    /// Most bytes of `.device` memory to reserve, for tests and for sharing a device.
    private let limit: Int?
    /// Of every buffer's offset. 256 suits every limit in use and keeps buffers apart by cache lines.
    let alignment: Int

    private let lock = NSLock()
    // Guarded by `lock`:
    private var blocks: [MemoryBlock] = []
    private var inUse: [MemoryKind: Int] = [:]
    private var reserved: [MemoryKind: Int] = [:]
    private var peak: [MemoryKind: Int] = [:]

    private static let firstBlockBytes: [MemoryKind: Int] = [
        .device: 64 << 20, .hostReadable: 1 << 20, .staging: 1 << 20,
    ]
    private static let largestBlockBytes = 256 << 20

    init(_ device: LogicalDevice, limit: Int?) throws {
        self.device = device
        self.limit = limit
        alignment = max(device.limits.minStorageBufferOffsetAlignment, 256)
        // Every block's buffer has the same usage, hence the same allowed memory types.
        let probe = try MemoryBlock.makeBuffer(byteCount: 256, on: device)
        var needed = VkMemoryRequirements()
        vkGetBufferMemoryRequirements(device.handle, probe.handle, &needed)
        var choices: [MemoryKind: MemoryTypeChoice] = [:]
        for kind in MemoryKind.allCases {
            choices[kind] = MemoryTypeChoice(kind, on: device, allowed: needed.memoryTypeBits)
        }
        guard choices.count == MemoryKind.allCases.count else {
            throw VulkanError.deviceLacks(device: device.description.name, missing: ["host-visible coherent memory"])
        }
        self.choices = choices
    }

    func makeBuffer(label: String, byteCount: Int, kind: MemoryKind) throws -> Buffer {
        guard byteCount > 0, byteCount <= Int.max - alignment else {
            throw VulkanError.invalidRange(label: label, problem: "a buffer of \(byteCount) bytes")
        }
        let rounded = (byteCount + alignment - 1) / alignment * alignment
        let allocation = try lock.withLock { try allocate(label, rounded, kind) }
        return Buffer(label: label, byteCount: byteCount, kind: kind, allocation: allocation, pool: self)
    }

    func release(_ allocation: Allocation) {
        lock.withLock {
            let block = allocation.block
            block.free.giveBack(allocation.range)
            inUse[block.kind, default: 0] -= allocation.range.count
            if block.isDedicated { remove { $0 === block } }
        }
    }

    /// Of one kind; device memory and the host's are counted apart.
    func statistics(_ kind: MemoryKind) -> MemoryStatistics {
        lock.withLock {
            MemoryStatistics(inUse: inUse[kind] ?? 0, peak: peak[kind] ?? 0, reserved: reserved[kind] ?? 0)
        }
    }

    /// Bytes that new buffers of one kind can take, as far as the driver tells; not in one piece.
    func available(_ kind: MemoryKind) -> Int {
        lock.withLock { unreserved(kind).free + (reserved[kind] ?? 0) - (inUse[kind] ?? 0) }
    }

    private func allocate(_ label: String, _ count: Int, _ kind: MemoryKind) throws -> Allocation {
        for block in blocks where block.kind == kind && !block.isDedicated {
            if let offset = block.free.take(count) { return taken(offset, count, block) }
        }
        let block = try makeBlock(label, count, kind)
        blocks.append(block)
        reserved[kind, default: 0] += block.byteCount
        guard let offset = block.free.take(count) else { throw outOfMemory(label, count, kind) }
        return taken(offset, count, block)
    }

    private func taken(_ offset: Int, _ count: Int, _ block: MemoryBlock) -> Allocation {
        let now = inUse[block.kind, default: 0] + count
        inUse[block.kind] = now
        peak[block.kind] = max(peak[block.kind] ?? 0, now)
        return Allocation(block: block, range: offset..<offset + count)
    }

    /// A shared block when the request is small beside it and there is room, else one of just the size; empty blocks
    /// are given up before giving up.
    private func makeBlock(_ label: String, _ count: Int, _ kind: MemoryKind) throws -> MemoryBlock {
        guard let choice = choices[kind] else { throw outOfMemory(label, count, kind) }
        let largest =
            min(device.limits.maxMemoryAllocationSize, device.limits.maxBufferSize ?? .max)
            - MemoryBlock.excessBytes(on: device)
        guard count <= largest else { throw outOfMemory(label, count, kind, allocationLimit: largest) }
        let held = blocks.filter { $0.kind == kind && !$0.isDedicated }.map(\.byteCount).max() ?? 0
        let shared = min(max(held * 2, Self.firstBlockBytes[kind] ?? 0), Self.largestBlockBytes, largest)
        if count <= shared / 2, let block = try tryBlock(shared, kind, choice, isDedicated: false) { return block }
        if let block = try tryBlock(count, kind, choice, isDedicated: true) { return block }
        remove { $0.free.isEntirelyFree }
        if let block = try tryBlock(count, kind, choice, isDedicated: true) { return block }
        throw outOfMemory(label, count, kind)
    }

    /// Nil when it does not fit.
    private func tryBlock(
        _ count: Int, _ kind: MemoryKind, _ choice: MemoryTypeChoice, isDedicated: Bool
    ) throws -> MemoryBlock? {
        guard count <= room(kind, choice) else { return nil }
        do {
            return try MemoryBlock(kind, choice, byteCount: count, isDedicated: isDedicated, on: device)
        } catch VulkanError.call(_, "VK_ERROR_OUT_OF_DEVICE_MEMORY"), VulkanError.call(_, "VK_ERROR_OUT_OF_HOST_MEMORY")
        {
            return nil
        }
    }

    /// What may still be reserved: drivers of CPUs and integrated GPUs promise more than there is.
    private func room(_ kind: MemoryKind, _ choice: MemoryTypeChoice) -> Int {
        let onHeap = blocks.filter { $0.heapIndex == choice.heapIndex }.reduce(0) { $0 + $1.byteCount }
        var heapRoom = heapByteCount(choice) - onHeap
        if device.description.kind == .cpu, let available = HostMemory.available {
            heapRoom = min(heapRoom, available)
        }
        guard let limit, kind == .device else { return heapRoom }
        return min(heapRoom, limit - (reserved[kind] ?? 0))
    }

    /// A CPU driver takes the host's memory, whatever its heap says: lavapipe's is 2 GiB on every machine.
    private func heapByteCount(_ choice: MemoryTypeChoice) -> Int {
        device.description.kind == .cpu ? max(choice.heapByteCount, HostMemory.total) : choice.heapByteCount
    }

    private func remove(where isUnneeded: (MemoryBlock) -> Bool) {
        for block in blocks where isUnneeded(block) { reserved[block.kind, default: 0] -= block.byteCount }
        blocks.removeAll(where: isUnneeded)
    }

    /// All bytes of one kind, and those not reserved yet.
    private func unreserved(_ kind: MemoryKind) -> (total: Int, free: Int) {
        let held = reserved[kind] ?? 0
        var total = choices[kind].map(heapByteCount) ?? 0
        var free = total - held
        let heaps = device.currentHeaps
        if let index = choices[kind]?.heapIndex, heaps.indices.contains(index), let told = heaps[index].free {
            free = min(free, told)
        }
        if device.description.kind == .cpu, let available = HostMemory.available { free = min(free, available) }
        if let limit, kind == .device {
            total = min(total, limit)
            free = min(free, total - held)
        }
        return (total, max(0, free))
    }

    private func outOfMemory(
        _ label: String, _ count: Int, _ kind: MemoryKind, allocationLimit: Int? = nil
    ) -> VulkanError {
        let (total, free) = unreserved(kind)
        return .outOfMemory(
            .init(
                label: label, requested: count, reserved: reserved[kind] ?? 0, free: free, total: total,
                allocationLimit: allocationLimit))
    }
}
