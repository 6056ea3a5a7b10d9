import CVulkan

/// Which memory type serves a `MemoryKind` on a device.
struct MemoryTypeChoice: Sendable {
    let typeIndex: Int
    let heapIndex: Int
    let heapByteCount: Int
    let isMapped: Bool
    let isCached: Bool

    /// The best of the types in `allowed` (a bit mask); nil when none will do.
    init?(_ kind: MemoryKind, on device: LogicalDevice, allowed: UInt32) {
        var memory = VkPhysicalDeviceMemoryProperties()
        vkGetPhysicalDeviceMemoryProperties(device.physical, &memory)
        let types = elements(of: memory.memoryTypes, as: VkMemoryType.self).prefix(Int(memory.memoryTypeCount))
        let heaps = elements(of: memory.memoryHeaps, as: VkMemoryHeap.self)
        let largestLocal =
            heaps.prefix(Int(memory.memoryHeapCount))
            .filter { $0.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT.rawValue != 0 }.map(\.size).max() ?? 0

        func score(_ type: VkMemoryType) -> Int? {
            func has(_ bit: VkMemoryPropertyFlagBits) -> Bool { type.propertyFlags & bit.rawValue != 0 }
            // Protected and device-coherent memory (AMD) are slow or need features that are off.
            let known =
                VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT.rawValue | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT.rawValue
                | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT.rawValue | VK_MEMORY_PROPERTY_HOST_CACHED_BIT.rawValue
            guard type.propertyFlags & ~known == 0 else { return nil }
            let mappable = has(VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) && has(VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)
            let local = has(VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT)
            let cached = has(VK_MEMORY_PROPERTY_HOST_CACHED_BIT)
            switch kind {
            case .device:
                // The window of 256 MiB that older systems map is too small to live in.
                let isLarge = heaps[Int(type.heapIndex)].size >= largestLocal / 4 * 3
                return (local ? 8 : 0) + (isLarge ? 4 : 0) + (mappable ? 2 : 0) + (mappable && cached ? 1 : 0)
            case .hostReadable:
                return mappable ? (cached ? 2 : 0) + (local ? 0 : 1) : nil
            case .staging:
                return mappable ? (local ? 0 : 2) + (cached ? 0 : 1) : nil
            }
        }
        let candidates = types.indices.filter { allowed & (1 << UInt32($0)) != 0 }
            .compactMap { index in score(types[index]).map { (index: index, score: $0) } }
        // The first of equals: Vulkan lists the faster type first.
        guard let best = candidates.max(by: { $0.score < $1.score || ($0.score == $1.score && $0.index > $1.index) })
        else { return nil }
        let type = types[best.index]
        let mappable = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT.rawValue | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT.rawValue
        typeIndex = best.index
        heapIndex = Int(type.heapIndex)
        heapByteCount = Int(clamping: heaps[Int(type.heapIndex)].size)
        isMapped = type.propertyFlags & mappable == mappable
        isCached = isMapped && type.propertyFlags & VK_MEMORY_PROPERTY_HOST_CACHED_BIT.rawValue != 0
    }
}

/// One VkDeviceMemory with one VkBuffer over all of it, handed out in ranges.
final class MemoryBlock {
    let kind: MemoryKind
    let byteCount: Int
    let heapIndex: Int
    let isCached: Bool
    /// Made for one buffer; goes when that goes.
    let isDedicated: Bool
    let mapped: UnsafeMutableRawPointer?
    var free: FreeList
    private let buffer: DeviceObject
    private let memory: DeviceObject

    var bufferHandle: VkBuffer { buffer.handle }

    /// Usage of every block: any buffer can be an argument of a kernel in either form, and the source or target of a copy.
    static let usage =
        VK_BUFFER_USAGE_STORAGE_BUFFER_BIT.rawValue | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT.rawValue
        | VK_BUFFER_USAGE_TRANSFER_SRC_BIT.rawValue | VK_BUFFER_USAGE_TRANSFER_DST_BIT.rawValue

    init(
        _ kind: MemoryKind, _ type: MemoryTypeChoice, byteCount: Int, isDedicated: Bool, on device: LogicalDevice
    ) throws {
        self.kind = kind
        self.byteCount = byteCount
        self.heapIndex = type.heapIndex
        self.isCached = type.isCached
        self.isDedicated = isDedicated
        free = FreeList(capacity: byteCount)
        buffer = try Self.makeBuffer(byteCount: byteCount + Self.excessBytes(on: device), on: device)
        var needed = VkMemoryRequirements()
        vkGetBufferMemoryRequirements(device.handle, buffer.handle, &needed)
        var info = VkMemoryAllocateInfo()
        info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO
        info.allocationSize = needed.size
        info.memoryTypeIndex = UInt32(type.typeIndex)
        memory = try DeviceObject(on: device, "vkAllocateMemory", destroy: vkFreeMemory) {
            vkAllocateMemory($0, &info, nil, $1)
        }
        try check(vkBindBufferMemory(device.handle, buffer.handle, memory.handle, 0), "vkBindBufferMemory")
        if type.isMapped {
            var address: UnsafeMutableRawPointer?
            try check(vkMapMemory(device.handle, memory.handle, 0, UInt64.max, 0, &address), "vkMapMemory")
            mapped = address
        } else {
            mapped = nil
        }
    }

    /// What a block's VkBuffer has behind all that is handed out.
    static func excessBytes(on device: LogicalDevice) -> Int {
        device.description.kind == .cpu ? TexelView.excessBytes : 0
    }

    static func makeBuffer(byteCount: Int, on device: LogicalDevice) throws -> DeviceObject {
        var info = VkBufferCreateInfo()
        info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO
        info.size = UInt64(byteCount)
        info.usage = usage
        info.sharingMode = VK_SHARING_MODE_EXCLUSIVE
        return try DeviceObject(on: device, "vkCreateBuffer", destroy: vkDestroyBuffer) {
            vkCreateBuffer($0, &info, nil, $1)
        }
    }
}
