import Foundation
import Inference
import ReferenceBackend
import Testing
import VulkanBackend
import VulkanCompute

/// The backends that every golden number is checked on.
enum TestBackend: String, CaseIterable, CustomTestStringConvertible {
    case reference, vulkan
    /// A full barrier after every kernel.
    case vulkanFullBarriers
    /// The kernels of devices that don't load lane by lane.
    case vulkanPlainLoads

    var testDescription: String { rawValue }

    /// Gives a backend to `body`, and fails the test when the validation layers had something to say.
    func run(_ body: (any Backend) throws -> Void) throws {
        guard self != .reference else {
            try body(ReferenceBackend())
            return
        }
        var options = VulkanBackendOptions()
        options.usesFullBarriers = self == .vulkanFullBarriers
        if self == .vulkanPlainLoads { options.loadsByLane = false }
        try Self.runVulkan(options, body)
    }

    /// `run` on Vulkan with these options.
    static func runVulkan(_ options: VulkanBackendOptions, _ body: (VulkanBackend) throws -> Void) throws {
        let instance = try Instance(validation: ProcessInfo.processInfo.environment["C2C_VK_VALIDATION"] == "1")
        let environmentIndex = ProcessInfo.processInfo.environment["C2C_VK_DEVICE"].flatMap { Int($0) }
        let device = try Device(try instance.chooseDevice(index: environmentIndex), of: instance)
        try body(VulkanBackend(device, options: options))
        if let validation = device.validation {
            #expect(validation.messages.isEmpty, "the validation layers complain")
        }
    }
}
