import CVulkan

/// The chain of feature structures, used twice: to ask what a device has, and to turn on what kernels may use. One
/// place, so that what is described is what is on.
struct FeatureChain {
    let head: UnsafeMutablePointer<VkPhysicalDeviceFeatures2>
    let vulkan11: UnsafeMutablePointer<VkPhysicalDeviceVulkan11Features>
    let vulkan12: UnsafeMutablePointer<VkPhysicalDeviceVulkan12Features>
    let subgroupSize: UnsafeMutablePointer<VkPhysicalDeviceSubgroupSizeControlFeatures>?
    let maintenance4: UnsafeMutablePointer<VkPhysicalDeviceMaintenance4Features>?
    let integerDotProduct: UnsafeMutablePointer<VkPhysicalDeviceShaderIntegerDotProductFeatures>?
    let cooperativeKHR: UnsafeMutablePointer<VkPhysicalDeviceCooperativeMatrixFeaturesKHR>?
    let cooperativeNV: UnsafeMutablePointer<VkPhysicalDeviceCooperativeMatrixFeaturesNV>?

    /// Extensions that a device is made with where it has them.
    static let extensions: Set<String> = [
        VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME,
        VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME,
        VK_KHR_MAINTENANCE_4_EXTENSION_NAME,
        VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME,
        VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME,
        VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME,
        VK_EXT_MEMORY_BUDGET_EXTENSION_NAME,
    ]

    /// An empty chain for a device with these extensions, in `scratch`'s memory.
    init(_ scratch: Scratch, extensions: Set<String>) {
        var chain = StructureChain(scratch, extensions: extensions)
        vulkan11 = chain.link(
            VkPhysicalDeviceVulkan11Features(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES)
        vulkan12 = chain.link(
            VkPhysicalDeviceVulkan12Features(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES)
        subgroupSize = chain.link(
            VkPhysicalDeviceSubgroupSizeControlFeatures(),
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,
            of: VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME)
        maintenance4 = chain.link(
            VkPhysicalDeviceMaintenance4Features(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_FEATURES,
            of: VK_KHR_MAINTENANCE_4_EXTENSION_NAME)
        integerDotProduct = chain.link(
            VkPhysicalDeviceShaderIntegerDotProductFeatures(),
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES,
            of: VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME)
        cooperativeKHR = chain.link(
            VkPhysicalDeviceCooperativeMatrixFeaturesKHR(),
            VkStructureType(UInt32(SHIM_STRUCTURE_TYPE_COOPERATIVE_MATRIX_FEATURES_KHR)),
            of: VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME)
        cooperativeNV = chain.link(
            VkPhysicalDeviceCooperativeMatrixFeaturesNV(),
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV,
            of: VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME)
        head = chain.link(VkPhysicalDeviceFeatures2(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2)
    }

    /// Turns on what `features` lists and this module supports. robustBufferAccess stays off: it costs speed, and the
    /// recorder and the validation layers check ranges.
    func enable(_ features: DeviceDescription.Features) {
        func flag(_ isOn: Bool) -> VkBool32 { isOn ? VkBool32(VK_TRUE) : VkBool32(VK_FALSE) }
        vulkan12.pointee.shaderFloat16 = flag(features.float16)
        vulkan12.pointee.timelineSemaphore = flag(features.timelineSemaphore)
        vulkan12.pointee.vulkanMemoryModel = flag(features.vulkanMemoryModel)
        vulkan12.pointee.vulkanMemoryModelDeviceScope = flag(features.vulkanMemoryModel)
        subgroupSize?.pointee.subgroupSizeControl = flag(features.subgroupSizeControl)
        subgroupSize?.pointee.computeFullSubgroups = flag(features.subgroupSizeControl)
        maintenance4?.pointee.maintenance4 = flag(true)
        integerDotProduct?.pointee.shaderIntegerDotProduct = flag(features.integerDotProduct)
        cooperativeKHR?.pointee.cooperativeMatrix = flag(features.cooperativeMatrixKHR)
        cooperativeNV?.pointee.cooperativeMatrix = flag(features.cooperativeMatrixNV)
    }
}
