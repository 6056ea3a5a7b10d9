import CVulkan

/// What a compute pipeline is made from.
public struct KernelDescription: Sendable {
    /// Name in errors and timings.
    public var label: String
    public var spirv: [UInt32]
    public var entryPoint: String
    /// Buffers at bindings 0..<storageBuffers of set 0.
    public var storageBuffers: Int
    /// Which of them are uniform texel buffers of four u32 (`usamplerBuffer`) instead of storage buffers.
    public var texelBindings: Set<Int>
    /// Bytes of push constants, a multiple of 4.
    public var pushConstantBytes: Int
    /// 32-bit specialization constants (floats and booleans by their bits).
    public var specialization: [(id: UInt32, value: UInt32)]
    /// Invocations of each subgroup, all of which are full then; nil leaves both to the driver. Only for devices with
    /// `subgroupSizeControl`, and workgroups whose first dimension is a multiple of it.
    public var subgroupSize: Int?

    public init(
        label: String, spirv: [UInt32], entryPoint: String = "main", storageBuffers: Int, texelBindings: Set<Int> = [],
        pushConstantBytes: Int = 0, specialization: [(id: UInt32, value: UInt32)] = [], subgroupSize: Int? = nil
    ) {
        self.label = label
        self.spirv = spirv
        self.entryPoint = entryPoint
        self.storageBuffers = storageBuffers
        self.texelBindings = texelBindings
        self.pushConstantBytes = pushConstantBytes
        self.specialization = specialization
        self.subgroupSize = subgroupSize
    }

    /// Throws what is wrong with this for a device; drivers need not notice, and may crash instead.
    func check(against device: DeviceDescription) throws {
        let limits = device.limits
        func fail(_ problem: String) -> VulkanError { .kernel(label: label, problem: problem) }
        let mostBuffers = min(limits.maxPushDescriptors, limits.maxPerStageDescriptorStorageBuffers)
        guard (0...mostBuffers).contains(storageBuffers) else {
            throw fail("\(storageBuffers) storage buffers, this device allows \(mostBuffers)")
        }
        guard (0...limits.maxPushConstantsSize).contains(pushConstantBytes), pushConstantBytes % 4 == 0 else {
            throw fail(
                "\(pushConstantBytes) bytes of push constants; needed is a multiple of 4, "
                    + "at most \(limits.maxPushConstantsSize)")
        }
        if let subgroupSize {
            let sizes = limits.minSubgroupSize...limits.maxSubgroupSize
            guard device.features.subgroupSizeControl, sizes.contains(subgroupSize), subgroupSize.nonzeroBitCount == 1
            else {
                throw fail("subgroups of \(subgroupSize), this device has \(sizes.lowerBound) to \(sizes.upperBound)")
            }
        }
        guard spirv.count > 5, spirv[0] == 0x0723_0203 else { throw fail("not a SPIR-V module") }
        guard Self.computeEntryPoints(in: spirv).contains(entryPoint) else {
            throw fail("the SPIR-V module has no compute entry point \(entryPoint)")
        }
    }

    /// Names of the OpEntryPoint instructions of execution model GLCompute (SPIR-V specification, section 3.52).
    static func computeEntryPoints(in spirv: [UInt32]) -> [String] {
        let (opEntryPoint, glCompute, headerWords): (UInt32, UInt32, Int) = (15, 5, 5)
        var names: [String] = []
        var position = headerWords
        while position < spirv.count {
            let wordCount = Int(spirv[position] >> 16)
            guard wordCount > 0, wordCount <= spirv.count - position else { break }
            if spirv[position] & 0xFFFF == opEntryPoint, wordCount > 3, spirv[position + 1] == glCompute {
                let bytes = spirv[position + 3..<position + wordCount].flatMap { word in
                    (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
                }
                names.append(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
            }
            position += wordCount
        }
        return names
    }
}

/// A compute pipeline, ready to dispatch. Safe to share between threads.
public final class Kernel: @unchecked Sendable {
    public let label: String
    public let storageBuffers: Int
    public let texelBindings: Set<Int>
    public let pushConstantBytes: Int

    let pipeline: DeviceObject
    let layout: DeviceObject
    private let setLayout: DeviceObject

    init(_ description: KernelDescription, on device: LogicalDevice, cache: VkPipelineCache) throws {
        try description.check(against: device.description)
        label = description.label
        storageBuffers = description.storageBuffers
        texelBindings = description.texelBindings
        pushConstantBytes = description.pushConstantBytes
        do {
            setLayout = try Self.makeSetLayout(description, on: device)
            layout = try Self.makeLayout(description, set: setLayout.handle, on: device)
            pipeline = try Self.makePipeline(description, layout: layout.handle, cache: cache, on: device)
        } catch VulkanError.call(let call, let result) {
            throw VulkanError.kernel(label: description.label, problem: "\(call) failed with \(result)")
        }
    }

    private static func makeSetLayout(
        _ description: KernelDescription, on device: LogicalDevice
    ) throws -> DeviceObject {
        try withScratch { scratch in
            let bindings = (0..<description.storageBuffers).map { index in
                var binding = VkDescriptorSetLayoutBinding()
                binding.binding = UInt32(index)
                binding.descriptorType =
                    description.texelBindings.contains(index)
                    ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
                binding.descriptorCount = 1
                binding.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT.rawValue
                return binding
            }
            var info = VkDescriptorSetLayoutCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO
            info.flags = VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR.rawValue
            info.bindingCount = UInt32(bindings.count)
            info.pBindings = scratch.array(bindings)
            return try DeviceObject(
                on: device, "vkCreateDescriptorSetLayout", destroy: vkDestroyDescriptorSetLayout
            ) { vkCreateDescriptorSetLayout($0, &info, nil, $1) }
        }
    }

    private static func makeLayout(
        _ description: KernelDescription, set: VkDescriptorSetLayout, on device: LogicalDevice
    ) throws -> DeviceObject {
        try withScratch { scratch in
            var range = VkPushConstantRange()
            range.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT.rawValue
            range.size = UInt32(description.pushConstantBytes)
            var info = VkPipelineLayoutCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO
            info.setLayoutCount = 1
            info.pSetLayouts = scratch.array([Optional(set)])
            info.pushConstantRangeCount = description.pushConstantBytes > 0 ? 1 : 0
            info.pPushConstantRanges = UnsafePointer(scratch.pointer(to: range))
            return try DeviceObject(on: device, "vkCreatePipelineLayout", destroy: vkDestroyPipelineLayout) {
                vkCreatePipelineLayout($0, &info, nil, $1)
            }
        }
    }

    private static func makePipeline(
        _ description: KernelDescription, layout: VkPipelineLayout, cache: VkPipelineCache, on device: LogicalDevice
    ) throws -> DeviceObject {
        try withScratch { scratch in
            var moduleInfo = VkShaderModuleCreateInfo()
            moduleInfo.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO
            moduleInfo.codeSize = description.spirv.count * MemoryLayout<UInt32>.stride
            moduleInfo.pCode = scratch.array(description.spirv)
            let module = try DeviceObject(on: device, "vkCreateShaderModule", destroy: vkDestroyShaderModule) {
                vkCreateShaderModule($0, &moduleInfo, nil, $1)
            }

            let constants = description.specialization
            var specialization = VkSpecializationInfo()
            specialization.mapEntryCount = UInt32(constants.count)
            specialization.pMapEntries = scratch.array(
                constants.enumerated().map { index, constant in
                    VkSpecializationMapEntry(
                        constantID: constant.id, offset: UInt32(index * MemoryLayout<UInt32>.stride),
                        size: MemoryLayout<UInt32>.stride)
                })
            specialization.dataSize = constants.count * MemoryLayout<UInt32>.stride
            specialization.pData = UnsafeRawPointer(scratch.array(constants.map(\.value)))

            var stage = VkPipelineShaderStageCreateInfo()
            stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO
            stage.stage = VK_SHADER_STAGE_COMPUTE_BIT
            stage.module = module.handle
            stage.pName = scratch.cString(description.entryPoint)
            stage.pSpecializationInfo = UnsafePointer(scratch.pointer(to: specialization))
            if let subgroupSize = description.subgroupSize {
                var required = VkPipelineShaderStageRequiredSubgroupSizeCreateInfo()
                required.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO
                required.requiredSubgroupSize = UInt32(subgroupSize)
                stage.pNext = UnsafeRawPointer(scratch.pointer(to: required))
                stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT.rawValue
            }

            var info = VkComputePipelineCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO
            // Any launch may be one of the parts of a larger one.
            info.flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT.rawValue
            info.stage = stage
            info.layout = layout
            return try DeviceObject(on: device, "vkCreateComputePipelines", destroy: vkDestroyPipeline) {
                vkCreateComputePipelines($0, cache, 1, &info, nil, $1)
            }
        }
    }
}
