import Testing
import VulkanCompute

@Suite struct InstanceTests {
    @Test func describesDevicesInOrder() throws {
        let instance = try Instance(logger: quietLogger)
        #expect(instance.devices.map(\.index) == Array(0..<instance.devices.count))
        let device = try instance.chooseDevice()
        #expect(device.isUsable && device.missing == [])
        #expect(!device.name.isEmpty && !device.driverName.isEmpty)
        #expect(device.apiVersion >= VulkanVersion(major: 1, minor: 2, patch: 0))
        #expect(device.totalDeviceLocalBytes > 0)
        #expect(device.pipelineCacheUUID.count == 16)
        #expect(device.limits.maxStorageBufferRange >= 1 << 27)
        #expect(device.limits.maxPushConstantsSize >= 128)
        #expect(device.limits.maxPushDescriptors >= 32)
        #expect(device.limits.maxMemoryAllocationSize >= 1 << 30)
        #expect(device.limits.subgroupSize >= 1)
        #expect(device.limits.minSubgroupSize <= device.limits.maxSubgroupSize)
        #expect(device.limits.maxComputeWorkGroupCount.x >= 65535)
        #expect(device.features.timelineSemaphore && device.features.subgroupArithmetic)
    }

    @Test func indexOutOfRangeListsTheDevices() throws {
        let instance = try Instance(logger: quietLogger)
        for index in [-1, instance.devices.count] {
            let error = #expect(throws: VulkanError.self) { try instance.chooseDevice(index: index) }
            let text = error?.description ?? ""
            #expect(text.hasPrefix("there is no Vulkan device \(index); there are: 0: "))
            for device in instance.devices { #expect(text.contains(device.name)) }
        }
        #expect(try instance.chooseDevice(index: 0).index == 0)
    }

    @Test func prefersDiscreteThenIntegratedThenVirtualThenCPU() {
        typealias Candidate = (kind: DeviceDescription.Kind, isUsable: Bool)
        let all: [Candidate] = [(.cpu, true), (.virtual, true), (.integrated, true), (.discrete, true)]
        #expect(Instance.preferred(among: all) == 3)
        #expect(Instance.preferred(among: Array(all.prefix(3))) == 2)
        #expect(Instance.preferred(among: Array(all.prefix(2))) == 1)
        #expect(Instance.preferred(among: [(.cpu, true), (.discrete, false)]) == 0)
        #expect(Instance.preferred(among: [(.discrete, true), (.discrete, true)]) == 0)
        #expect(Instance.preferred(among: [(.discrete, false)]) == nil)
        #expect(Instance.preferred(among: []) == nil)
    }

    @Test func namesWhatADeviceLacks() {
        let old = VulkanVersion(major: 1, minor: 1, patch: 3)
        let lacking = DeviceDescription.missing(
            apiVersion: old, features: .init(), maxPushConstantsSize: 64, maxComputeSharedMemorySize: 16 << 10,
            hasComputeQueue: false)
        #expect(
            lacking == [
                "Vulkan 1.2 (has 1.1.3)", "VK_KHR_push_descriptor", "timelineSemaphore",
                "subgroup arithmetic in compute shaders", "a compute queue", "128 bytes of push constants (has 64)",
                "32 KiB of shared memory (has 16)",
            ])
        var features = DeviceDescription.Features()
        features.pushDescriptor = true
        features.timelineSemaphore = true
        features.subgroupArithmetic = true
        #expect(
            DeviceDescription.missing(
                apiVersion: VulkanVersion(major: 1, minor: 2, patch: 0), features: features, maxPushConstantsSize: 128,
                maxComputeSharedMemorySize: 32 << 10, hasComputeQueue: true) == [])
    }

    @Test func adviceNamesPackages() {
        #expect(VulkanError.noDriver.description.contains("mesa-vulkan-drivers"))
        #expect(VulkanError.validationLayerMissing.description.contains("vulkan-validationlayers"))
    }
}
