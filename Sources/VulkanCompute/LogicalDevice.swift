import CVulkan
import Logging

/// The VkDevice and its one compute queue. Everything made on the device holds a reference to this, so that it goes
/// last; then it waits for the GPU.
final class LogicalDevice: @unchecked Sendable {
    let handle: VkDevice
    let physical: VkPhysicalDevice
    /// For `SubmissionQueue` alone, which serializes its use.
    let queue: VkQueue
    let description: DeviceDescription
    let pushDescriptorSet: PFN_vkCmdPushDescriptorSetKHR
    /// Keeps the VkInstance, which must outlive the device.
    let instance: Instance

    var limits: DeviceDescription.Limits { description.limits }
    var logger: Logger { instance.logger }

    init(_ description: DeviceDescription, of instance: Instance) throws {
        guard instance.physicalDevices.indices.contains(description.index) else {
            throw VulkanError.noSuchDevice(index: description.index, devices: instance.devices.map(\.summary))
        }
        guard description.isUsable, let family = description.queueFamily else {
            throw VulkanError.deviceLacks(device: description.name, missing: description.missing)
        }
        let physical = instance.physicalDevices[description.index]
        let device = try Self.makeDevice(physical, description, queueFamily: UInt32(family))
        var queue: VkQueue?
        vkGetDeviceQueue(device, UInt32(family), 0, &queue)
        let pushName = "vkCmdPushDescriptorSetKHR"
        guard let queue, let push = vkGetDeviceProcAddr(device, pushName) else {
            vkDestroyDevice(device, nil)
            throw VulkanError.deviceLacks(device: description.name, missing: [pushName])
        }
        self.handle = device
        self.physical = physical
        self.queue = queue
        self.description = description
        self.pushDescriptorSet = unsafeBitCast(push, to: PFN_vkCmdPushDescriptorSetKHR.self)
        self.instance = instance
    }

    deinit {
        // A lost device cannot be waited for; there is nothing more to do about it here.
        _ = vkDeviceWaitIdle(handle)
        vkDestroyDevice(handle, nil)
    }

    /// As they are now, with what is free where the driver tells.
    var currentHeaps: [DeviceDescription.Heap] {
        DeviceDescription.heaps(
            of: physical, withBudget: description.extensions.contains(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME))
    }

    var queueFamily: UInt32 { UInt32(description.queueFamily ?? 0) }

    private static func makeDevice(
        _ physical: VkPhysicalDevice, _ description: DeviceDescription, queueFamily: UInt32
    ) throws -> VkDevice {
        try withScratch { scratch in
            var queue = VkDeviceQueueCreateInfo()
            queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO
            queue.queueFamilyIndex = queueFamily
            queue.queueCount = 1
            queue.pQueuePriorities = scratch.array([Float(1)])

            let extensions = description.extensions.intersection(FeatureChain.extensions)
            let chain = FeatureChain(scratch, extensions: extensions)
            chain.enable(description.features)

            var info = VkDeviceCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO
            info.pNext = UnsafeRawPointer(chain.head)
            info.queueCreateInfoCount = 1
            info.pQueueCreateInfos = UnsafePointer(scratch.pointer(to: queue))
            info.enabledExtensionCount = UInt32(extensions.count)
            info.ppEnabledExtensionNames = scratch.cStrings(extensions.sorted())
            var device: VkDevice?
            try check(vkCreateDevice(physical, &info, nil, &device), "vkCreateDevice")
            guard let device else { throw VulkanError.call("vkCreateDevice", result: "no device") }
            return device
        }
    }
}

/// One Vulkan object of a device with a single owner: destroyed when the owner lets go.
struct DeviceObject: ~Copyable {
    typealias Destroy = (VkDevice?, OpaquePointer?, UnsafePointer<VkAllocationCallbacks>?) -> Void

    let handle: OpaquePointer
    private let device: LogicalDevice
    private let destroy: Destroy

    /// - Parameters:
    ///   - call: name of the creating function, for errors.
    ///   - create: makes the object; gets the device and where the handle goes.
    ///   - destroy: Vulkan's function that destroys it.
    init(
        on device: LogicalDevice, _ call: String, destroy: @escaping Destroy,
        create: (VkDevice, UnsafeMutablePointer<OpaquePointer?>) -> VkResult
    ) throws {
        var handle: OpaquePointer?
        try check(create(device.handle, &handle), call)
        guard let handle else { throw VulkanError.call(call, result: "no handle") }
        self.handle = handle
        self.device = device
        self.destroy = destroy
    }

    deinit {
        destroy(device.handle, handle, nil)
    }
}
