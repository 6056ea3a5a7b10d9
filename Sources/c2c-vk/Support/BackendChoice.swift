import Foundation
import Inference
import Logging
import ReferenceBackend
import VulkanBackend
import VulkanCompute

/// The backend that `--device` names.
struct BackendChoice {
    /// In Vulkan's order; nil for the CPU reference.
    var index: Int?
    var backend: any Backend

    /// - Throws: `UsageError` for a value that is no number, or where the CPU reference is to be profiled; `VulkanError` when there is no such device, or no driver.
    init(_ options: DeviceOptions, vulkan vulkanOptions: VulkanBackendOptions = VulkanBackendOptions()) throws {
        let environment = ProcessInfo.processInfo.environment
        let choice = options.device ?? environment["C2C_VK_DEVICE"].flatMap { $0.isEmpty ? nil : $0 }
        if choice == "cpu" {
            guard !vulkanOptions.profiles else {
                throw UsageError("--profile measures a Vulkan device; leave it out, or choose one with --device N")
            }
            index = nil
            backend = ReferenceBackend()
            return
        }
        var wanted: Int?
        if let choice {
            guard let number = Int(choice) else {
                let source = options.device == nil ? "C2C_VK_DEVICE" : "--device"
                throw UsageError("\(source) \"\(choice)\" is no index; give a number of `c2c-vk devices`, or cpu")
            }
            wanted = number
        }
        let instance = try Self.makeInstance()
        let description = try instance.chooseDevice(index: wanted)
        var deviceOptions = VulkanCompute.DeviceOptions()
        deviceOptions.pipelineCacheDirectory = UserCache.directory
        deviceOptions.shaderHash = VulkanBackend.shaderHash
        index = description.index
        backend = VulkanBackend(
            try Device(description, of: instance, options: deviceOptions), options: vulkanOptions)
    }

    /// Validation is for finding bugs of this program: `C2C_VK_VALIDATION=1`.
    static func makeInstance() throws -> Instance {
        let validates = ProcessInfo.processInfo.environment["C2C_VK_VALIDATION"] == "1"
        return try Instance(validation: validates, logger: Logger(label: "vulkan"))
    }
}
