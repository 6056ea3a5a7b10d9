import CVulkan

/// Where work happens that barriers order.
enum Stage {
    case compute, transfer
}

/// A VkCommandBuffer in a pool of its own, so that lists can be recorded on several threads and freed in any order.
final class CommandBuffer {
    let handle: VkCommandBuffer
    private let device: LogicalDevice
    private let pool: DeviceObject

    init(on device: LogicalDevice) throws {
        self.device = device
        var poolInfo = VkCommandPoolCreateInfo()
        poolInfo.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO
        poolInfo.queueFamilyIndex = device.queueFamily
        pool = try DeviceObject(on: device, "vkCreateCommandPool", destroy: vkDestroyCommandPool) {
            vkCreateCommandPool($0, &poolInfo, nil, $1)
        }
        var info = VkCommandBufferAllocateInfo()
        info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO
        info.commandPool = pool.handle
        info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY
        info.commandBufferCount = 1
        var handle: VkCommandBuffer?
        try check(vkAllocateCommandBuffers(device.handle, &info, &handle), "vkAllocateCommandBuffers")
        guard let handle else { throw VulkanError.call("vkAllocateCommandBuffers", result: "no command buffer") }
        self.handle = handle
    }

    /// Starts recording anew. Not while the GPU works with it.
    func begin(_ usage: VkCommandBufferUsageFlagBits) throws {
        try check(vkResetCommandPool(device.handle, pool.handle, 0), "vkResetCommandPool")
        var info = VkCommandBufferBeginInfo()
        info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO
        info.flags = usage.rawValue
        try check(vkBeginCommandBuffer(handle, &info), "vkBeginCommandBuffer")
    }

    func end() throws {
        try check(vkEndCommandBuffer(handle), "vkEndCommandBuffer")
    }

    /// Makes writes of `sources` visible to reads and writes of `targets`, and keeps the order.
    func barrier(from sources: [Stage], to targets: [Stage]) {
        var sourceStages: VkPipelineStageFlags = 0
        var targetStages: VkPipelineStageFlags = 0
        var barrier = VkMemoryBarrier()
        barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER
        for source in sources {
            switch source {
            case .compute:
                sourceStages |= VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT.rawValue
                barrier.srcAccessMask |= VK_ACCESS_SHADER_WRITE_BIT.rawValue
            case .transfer:
                sourceStages |= VK_PIPELINE_STAGE_TRANSFER_BIT.rawValue
                barrier.srcAccessMask |= VK_ACCESS_TRANSFER_WRITE_BIT.rawValue
            }
        }
        for target in targets {
            switch target {
            case .compute:
                targetStages |= VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT.rawValue
                barrier.dstAccessMask |= VK_ACCESS_SHADER_READ_BIT.rawValue | VK_ACCESS_SHADER_WRITE_BIT.rawValue
            case .transfer:
                targetStages |= VK_PIPELINE_STAGE_TRANSFER_BIT.rawValue
                barrier.dstAccessMask |= VK_ACCESS_TRANSFER_READ_BIT.rawValue | VK_ACCESS_TRANSFER_WRITE_BIT.rawValue
            }
        }
        vkCmdPipelineBarrier(handle, sourceStages, targetStages, 0, 1, &barrier, 0, nil, 0, nil)
    }

    /// Makes everything written so far visible to the host, once it has waited for the submission.
    func barrierToHost() {
        var barrier = VkMemoryBarrier()
        barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER
        barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT.rawValue | VK_ACCESS_TRANSFER_WRITE_BIT.rawValue
        barrier.dstAccessMask = VK_ACCESS_HOST_READ_BIT.rawValue
        let sources = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT.rawValue | VK_PIPELINE_STAGE_TRANSFER_BIT.rawValue
        vkCmdPipelineBarrier(handle, sources, VK_PIPELINE_STAGE_HOST_BIT.rawValue, 0, 1, &barrier, 0, nil, 0, nil)
    }

    /// Byte offsets count from the buffers' starts.
    func copy(from source: Buffer, at sourceOffset: Int, to target: Buffer, at targetOffset: Int, byteCount: Int) {
        var region = VkBufferCopy(
            srcOffset: UInt64(source.offset + sourceOffset), dstOffset: UInt64(target.offset + targetOffset),
            size: UInt64(byteCount))
        vkCmdCopyBuffer(handle, source.handle, target.handle, 1, &region)
    }
}
