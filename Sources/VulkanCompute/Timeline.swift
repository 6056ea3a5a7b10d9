import CVulkan

/// The timeline semaphore that counts completed submissions. Thread-safe.
final class Timeline: @unchecked Sendable {
    private let device: LogicalDevice
    private let semaphore: DeviceObject

    var handle: VkSemaphore { semaphore.handle }

    init(on device: LogicalDevice) throws {
        self.device = device
        semaphore = try withScratch { scratch in
            var type = VkSemaphoreTypeCreateInfo()
            type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO
            type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE
            var info = VkSemaphoreCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO
            info.pNext = UnsafeRawPointer(scratch.pointer(to: type))
            return try DeviceObject(on: device, "vkCreateSemaphore", destroy: vkDestroySemaphore) {
                vkCreateSemaphore($0, &info, nil, $1)
            }
        }
    }

    /// Every submission up to this value has completed.
    func completed() throws -> UInt64 {
        var value: UInt64 = 0
        try check(vkGetSemaphoreCounterValue(device.handle, handle, &value), "vkGetSemaphoreCounterValue")
        return value
    }

    /// Returns once `value` is reached.
    func wait(_ value: UInt64) throws {
        _ = try wait(value, nanoseconds: .max)
    }

    /// - Returns: whether `value` was reached in time.
    func wait(_ value: UInt64, atMost seconds: Double) throws -> Bool {
        try wait(value, nanoseconds: UInt64(max(0, seconds) * 1e9))
    }

    private func wait(_ value: UInt64, nanoseconds: UInt64) throws -> Bool {
        try withScratch { scratch in
            var info = VkSemaphoreWaitInfo()
            info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO
            info.semaphoreCount = 1
            info.pSemaphores = scratch.array([Optional(handle)])
            info.pValues = scratch.array([value])
            let result = vkWaitSemaphores(device.handle, &info, nanoseconds)
            if result == VK_TIMEOUT { return false }
            try check(result, "vkWaitSemaphores")
            return true
        }
    }
}
