import CVulkan

/// The chain of feature structures, used twice: to ask what a device has, and to turn on what kernels may use. One
/// place, so that what is described is what is on.
struct FeatureChain {
    let head: UnsafeMutablePointer<VkPhysicalDeviceFeatures2>
    let vulkan11: UnsafeMutablePointer<VkPhysicalDeviceVulkan11Features>
    let vulkan12: UnsafeMutablePointer<VkPhysicalDeviceVulkan12Features>
    let integerDot: UnsafeMutablePointer<VkPhysicalDeviceShaderIntegerDotProductFeatures>?
    let subgroupSize: UnsafeMutablePointer<VkPhysicalDeviceSubgroupSizeControlFeatures>?
    let maintenance4: UnsafeMutablePointer<VkPhysicalDeviceMaintenance4Features>?
    let cooperativeKHR: UnsafeMutablePointer<VkPhysicalDeviceCooperativeMatrixFeaturesKHR>?
    let cooperativeNV: UnsafeMutablePointer<VkPhysicalDeviceCooperativeMatrixFeaturesNV>?

    /// Extensions that a device is made with where it has them.
    static let extensions: Set<String> = [
        VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME,
        VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME,
        VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME,
        VK_KHR_MAINTENANCE_4_EXTENSION_NAME,
        VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME,
        VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME,
        VK_EXT_MEMORY_BUDGET_EXTENSION_NAME,
    ]

    /// An empty chain for a device with these extensions, in `scratch`'s memory.
    init(_ scratch: Scratch, extensions: Set<String>) {
        var next: UnsafeMutableRawPointer?
        var new11 = VkPhysicalDeviceVulkan11Features()
        new11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES
        vulkan11 = scratch.link(new11, before: &next)
        var new12 = VkPhysicalDeviceVulkan12Features()
        new12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES
        vulkan12 = scratch.link(new12, before: &next)

        var newDot = VkPhysicalDeviceShaderIntegerDotProductFeatures()
        newDot.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES
        integerDot =
            extensions.contains(VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME)
            ? scratch.link(newDot, before: &next) : nil
        var newSize = VkPhysicalDeviceSubgroupSizeControlFeatures()
        newSize.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES
        subgroupSize =
            extensions.contains(VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME)
            ? scratch.link(newSize, before: &next) : nil
        var newMaintenance = VkPhysicalDeviceMaintenance4Features()
        newMaintenance.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_FEATURES
        maintenance4 =
            extensions.contains(VK_KHR_MAINTENANCE_4_EXTENSION_NAME)
            ? scratch.link(newMaintenance, before: &next) : nil
        var newKHR = VkPhysicalDeviceCooperativeMatrixFeaturesKHR()
        newKHR.sType = VkStructureType(UInt32(SHIM_STRUCTURE_TYPE_COOPERATIVE_MATRIX_FEATURES_KHR))
        cooperativeKHR =
            extensions.contains(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME)
            ? scratch.link(newKHR, before: &next) : nil
        var newNV = VkPhysicalDeviceCooperativeMatrixFeaturesNV()
        newNV.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV
        cooperativeNV =
            extensions.contains(VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME)
            ? scratch.link(newNV, before: &next) : nil

        var first = VkPhysicalDeviceFeatures2()
        first.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2
        first.pNext = next
        head = scratch.pointer(to: first)
    }

    /// Turns on what `features` lists and this module supports. robustBufferAccess stays off: it costs speed, and the
    /// recorder and the validation layers check ranges.
    func enable(_ features: DeviceDescription.Features) {
        func flag(_ isOn: Bool) -> VkBool32 { isOn ? VkBool32(VK_TRUE) : VkBool32(VK_FALSE) }
        head.pointee.features.shaderInt16 = flag(features.int16)
        head.pointee.features.shaderInt64 = flag(features.int64)
        vulkan11.pointee.storageBuffer16BitAccess = flag(features.storage16Bit)
        vulkan12.pointee.storageBuffer8BitAccess = flag(features.storage8Bit)
        vulkan12.pointee.shaderFloat16 = flag(features.float16)
        vulkan12.pointee.shaderInt8 = flag(features.int8)
        vulkan12.pointee.timelineSemaphore = flag(features.timelineSemaphore)
        vulkan12.pointee.vulkanMemoryModel = flag(features.vulkanMemoryModel)
        vulkan12.pointee.vulkanMemoryModelDeviceScope = flag(features.vulkanMemoryModel)
        integerDot?.pointee.shaderIntegerDotProduct = flag(features.integerDotProduct)
        subgroupSize?.pointee.subgroupSizeControl = flag(features.subgroupSizeControl)
        subgroupSize?.pointee.computeFullSubgroups = flag(features.subgroupSizeControl)
        maintenance4?.pointee.maintenance4 = flag(true)
        cooperativeKHR?.pointee.cooperativeMatrix = flag(features.cooperativeMatrixKHR)
        cooperativeNV?.pointee.cooperativeMatrix = flag(features.cooperativeMatrixNV)
    }
}
