import CVulkan

extension DeviceDescription {
    /// Asks the driver everything once: extensions, properties, features, memory, queues.
    init(index: Int, of device: VkPhysicalDevice, instance: VkInstance) throws {
        var properties = VkPhysicalDeviceProperties()
        vkGetPhysicalDeviceProperties(device, &properties)
        let apiVersion = VulkanVersion(packed: properties.apiVersion)
        let extensions = try Self.extensions(of: device)
        // Structures of Vulkan 1.1 and 1.2 may only be put to a device that has those versions.
        let details = Details(of: device, extensions: extensions, isVulkan12: apiVersion >= Instance.apiVersion)
        let families = try enumerate(
            of: VkQueueFamilyProperties(), "vkGetPhysicalDeviceQueueFamilyProperties"
        ) {
            vkGetPhysicalDeviceQueueFamilyProperties(device, $0, $1)
            return VK_SUCCESS
        }
        let queueFamily = families.firstIndex { $0.queueFlags & VK_QUEUE_COMPUTE_BIT.rawValue != 0 }

        let features = details.features
        let heaps = Self.heaps(of: device, withBudget: extensions.contains(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME))
        let kind: Kind =
            switch properties.deviceType {
            case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: .discrete
            case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: .integrated
            case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: .virtual
            case VK_PHYSICAL_DEVICE_TYPE_CPU: .cpu
            default: .other
            }

        self.index = index
        self.name = text(ofCharacters: properties.deviceName)
        self.kind = kind
        self.driverName = details.driverName
        self.driverInfo = details.driverInfo
        self.driverVersion = properties.driverVersion
        self.apiVersion = apiVersion
        self.vendorID = properties.vendorID
        self.deviceID = properties.deviceID
        self.pipelineCacheUUID = withUnsafeBytes(of: properties.pipelineCacheUUID) { Array($0) }
        self.heaps = heaps
        self.limits = Limits(
            properties.limits, details,
            timestampValidBits: queueFamily.map { Int(families[$0].timestampValidBits) } ?? 0)
        self.features = features
        self.cooperativeMatrixShapes = try CooperativeMatrixShape.shapes(
            of: device, instance: instance, khr: features.cooperativeMatrixKHR, nv: features.cooperativeMatrixNV)
        self.coreCount = details.coreCount
        self.missing = Self.missing(
            apiVersion: apiVersion, features: features,
            maxPushConstantsSize: Int(properties.limits.maxPushConstantsSize),
            maxComputeSharedMemorySize: Int(properties.limits.maxComputeSharedMemorySize),
            hasComputeQueue: queueFamily != nil)
        self.queueFamily = queueFamily
        self.extensions = extensions
    }

    private static func extensions(of device: VkPhysicalDevice) throws -> Set<String> {
        let found = try enumerate(of: VkExtensionProperties(), "vkEnumerateDeviceExtensionProperties") {
            vkEnumerateDeviceExtensionProperties(device, nil, $0, $1)
        }
        return Set(found.map { text(ofCharacters: $0.extensionName) })
    }

    /// Heaps, with their budget where the driver has it.
    static func heaps(of device: VkPhysicalDevice, withBudget: Bool) -> [Heap] {
        var budget = VkPhysicalDeviceMemoryBudgetPropertiesEXT()
        budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT
        var memory = VkPhysicalDeviceMemoryProperties2()
        memory.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2
        withUnsafeMutablePointer(to: &budget) { budget in
            memory.pNext = withBudget ? UnsafeMutableRawPointer(budget) : nil
            vkGetPhysicalDeviceMemoryProperties2(device, &memory)
        }
        let found = memory.memoryProperties
        let heapBudget = elements(of: budget.heapBudget, as: UInt64.self)
        let heapUsage = elements(of: budget.heapUsage, as: UInt64.self)
        let heaps = elements(of: found.memoryHeaps, as: VkMemoryHeap.self).prefix(Int(found.memoryHeapCount))
        return heaps.enumerated().map { index, heap in
            Heap(
                byteCount: Int(clamping: heap.size),
                isDeviceLocal: heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT.rawValue != 0,
                free: withBudget ? max(0, Int(clamping: heapBudget[index]) - Int(clamping: heapUsage[index])) : nil)
        }
    }
}

extension DeviceDescription.Limits {
    fileprivate init(_ limits: VkPhysicalDeviceLimits, _ details: Details, timestampValidBits: Int) {
        let size = limits.maxComputeWorkGroupSize
        let count = limits.maxComputeWorkGroupCount
        self.init(
            maxStorageBufferRange: Int(limits.maxStorageBufferRange),
            maxPushConstantsSize: Int(limits.maxPushConstantsSize),
            minStorageBufferOffsetAlignment: Int(clamping: limits.minStorageBufferOffsetAlignment),
            maxTexelBufferElements: Int(limits.maxTexelBufferElements),
            minTexelBufferOffsetAlignment: Int(clamping: limits.minTexelBufferOffsetAlignment),
            maxComputeSharedMemorySize: Int(limits.maxComputeSharedMemorySize),
            maxComputeWorkGroupInvocations: Int(limits.maxComputeWorkGroupInvocations),
            maxComputeWorkGroupSize: (Int(size.0), Int(size.1), Int(size.2)),
            maxComputeWorkGroupCount: (Int(count.0), Int(count.1), Int(count.2)),
            maxPerStageDescriptorStorageBuffers: Int(limits.maxPerStageDescriptorStorageBuffers),
            maxPushDescriptors: details.maxPushDescriptors,
            subgroupSize: details.subgroupSize,
            minSubgroupSize: details.minSubgroupSize,
            maxSubgroupSize: details.maxSubgroupSize,
            maxMemoryAllocationSize: details.maxMemoryAllocationSize,
            maxBufferSize: details.maxBufferSize,
            timestampPeriod: Double(limits.timestampPeriod),
            timestampValidBits: timestampValidBits)
    }
}

/// What the structure chains of Vulkan 1.1, 1.2 and extensions say.
private struct Details {
    var driverName = ""
    var driverInfo = ""
    var maxPushDescriptors = 0
    var subgroupSize = 1
    var minSubgroupSize = 1
    var maxSubgroupSize = 1
    /// Whether compute kernels may require one of these sizes.
    var sizesAreForCompute = false
    /// The least a Vulkan 1.1 device offers, for those that do not say.
    var maxMemoryAllocationSize = 1 << 30
    var maxBufferSize: Int?
    var coreCount: Int?
    var features = DeviceDescription.Features()

    init(of device: VkPhysicalDevice, extensions: Set<String>, isVulkan12: Bool) {
        guard isVulkan12 else { return }
        readProperties(of: device, extensions: extensions)
        readFeatures(of: device, extensions: extensions)
    }

    private mutating func readProperties(of device: VkPhysicalDevice, extensions: Set<String>) {
        withScratch { scratch in
            var chain = StructureChain(scratch, extensions: extensions)
            let vulkan11 = chain.link(
                VkPhysicalDeviceVulkan11Properties(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES)
            let vulkan12 = chain.link(
                VkPhysicalDeviceVulkan12Properties(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES)
            let push = chain.link(
                VkPhysicalDevicePushDescriptorPropertiesKHR(),
                VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PUSH_DESCRIPTOR_PROPERTIES_KHR,
                of: VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME)
            let sizes = chain.link(
                VkPhysicalDeviceSubgroupSizeControlProperties(),
                VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES,
                of: VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME)
            let maintenance = chain.link(
                VkPhysicalDeviceMaintenance4Properties(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES,
                of: VK_KHR_MAINTENANCE_4_EXTENSION_NAME)
            let integers = chain.link(
                VkPhysicalDeviceShaderIntegerDotProductProperties(),
                VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES,
                of: VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME)
            let nvidia = chain.link(
                VkPhysicalDeviceShaderSMBuiltinsPropertiesNV(),
                VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV,
                of: VK_NV_SHADER_SM_BUILTINS_EXTENSION_NAME)
            let amd = chain.link(
                VkPhysicalDeviceShaderCorePropertiesAMD(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_AMD,
                of: VK_AMD_SHADER_CORE_PROPERTIES_EXTENSION_NAME)
            let all = chain.link(VkPhysicalDeviceProperties2(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2)
            vkGetPhysicalDeviceProperties2(device, all)

            driverName = text(ofCharacters: vulkan12.pointee.driverName)
            driverInfo = text(ofCharacters: vulkan12.pointee.driverInfo)
            maxMemoryAllocationSize = Int(clamping: vulkan11.pointee.maxMemoryAllocationSize)
            subgroupSize = Int(vulkan11.pointee.subgroupSize)
            minSubgroupSize = sizes.map { Int($0.pointee.minSubgroupSize) } ?? subgroupSize
            maxSubgroupSize = sizes.map { Int($0.pointee.maxSubgroupSize) } ?? subgroupSize
            sizesAreForCompute =
                sizes.map { $0.pointee.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT.rawValue != 0 } ?? false
            maxPushDescriptors = push.map { Int($0.pointee.maxPushDescriptors) } ?? 0
            maxBufferSize = maintenance.map { Int(clamping: $0.pointee.maxBufferSize) }
            coreCount =
                nvidia.map { Int($0.pointee.shaderSMCount) }
                ?? amd.map {
                    Int($0.pointee.shaderEngineCount * $0.pointee.shaderArraysPerEngineCount)
                        * Int($0.pointee.computeUnitsPerShaderArray)
                }
            features.acceleratesIntegerDotProduct =
                integers?.pointee.integerDotProduct4x8BitPackedSignedAccelerated == VK_TRUE
            if vulkan11.pointee.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT.rawValue != 0 {
                let operations = vulkan11.pointee.subgroupSupportedOperations
                features.subgroupArithmetic = operations & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT.rawValue != 0
                features.subgroupShuffle = operations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT.rawValue != 0
            }
        }
    }

    private mutating func readFeatures(of device: VkPhysicalDevice, extensions: Set<String>) {
        withScratch { scratch in
            let chain = FeatureChain(scratch, extensions: extensions)
            vkGetPhysicalDeviceFeatures2(device, chain.head)
            features.float16 = chain.vulkan12.pointee.shaderFloat16 == VK_TRUE
            features.integerDotProduct = chain.integerDotProduct?.pointee.shaderIntegerDotProduct == VK_TRUE
            features.timelineSemaphore = chain.vulkan12.pointee.timelineSemaphore == VK_TRUE
            features.vulkanMemoryModel =
                chain.vulkan12.pointee.vulkanMemoryModel == VK_TRUE
                && chain.vulkan12.pointee.vulkanMemoryModelDeviceScope == VK_TRUE
            features.subgroupSizeControl =
                sizesAreForCompute && chain.subgroupSize?.pointee.subgroupSizeControl == VK_TRUE
                && chain.subgroupSize?.pointee.computeFullSubgroups == VK_TRUE
            features.cooperativeMatrixKHR = chain.cooperativeKHR?.pointee.cooperativeMatrix == VK_TRUE
            features.cooperativeMatrixNV = chain.cooperativeNV?.pointee.cooperativeMatrix == VK_TRUE
            features.pushDescriptor = extensions.contains(VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME)
        }
    }
}

/// The elements of a fixed-size C array.
func elements<Tuple: BitwiseCopyable, T: BitwiseCopyable>(of tuple: Tuple, as type: T.Type) -> [T] {
    withUnsafeBytes(of: tuple) { Array($0.bindMemory(to: type)) }
}
