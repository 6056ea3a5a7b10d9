import CVulkan
import Logging

/// A connection to the Vulkan loader and its drivers, with a description of every device. Safe to share between threads.
public final class Instance: @unchecked Sendable {
    /// Every physical device in Vulkan's own enumeration order, usable or not.
    public let devices: [DeviceDescription]
    /// What the validation layers reported; nil without validation.
    public let validation: ValidationLog?

    let handle: VkInstance
    let physicalDevices: [VkPhysicalDevice]
    let logger: Logger
    private let messenger: VkDebugUtilsMessengerEXT?

    /// The Vulkan version asked for. What came with 1.3 is taken as extensions, so that 1.2 drivers will do.
    static let apiVersion = VulkanVersion(major: 1, minor: 2, patch: 0)

    /// - Parameters:
    ///   - validation: turns the Khronos validation layer on, with synchronization validation. Slow; for tests.
    ///   - logger: where validation messages and notes go.
    /// - Throws: `VulkanError.noDriver`, `.validationLayerMissing`, or a failing call.
    public init(validation: Bool = false, logger: Logger = Logger(label: "vulkan")) throws {
        let log = validation ? ValidationLog(logger: logger) : nil
        let handle = try Self.makeInstance(log: log)
        var messenger: VkDebugUtilsMessengerEXT?
        do {
            if let log { messenger = try Self.makeMessenger(handle, log: log) }
            physicalDevices = try enumerate(of: nil as VkPhysicalDevice?, "vkEnumeratePhysicalDevices") {
                vkEnumeratePhysicalDevices(handle, $0, $1)
            }.compactMap { $0 }
            guard !physicalDevices.isEmpty else { throw VulkanError.noDriver }
            devices = try physicalDevices.enumerated().map { index, physical in
                try DeviceDescription(index: index, of: physical, instance: handle)
            }
        } catch {
            Self.destroy(handle, messenger)
            throw error
        }
        self.handle = handle
        self.messenger = messenger
        self.validation = log
        self.logger = logger
    }

    deinit {
        Self.destroy(handle, messenger)
    }

    /// The device at `index`, or without one the first usable discrete GPU, else integrated, virtual, CPU.
    /// - Throws: `VulkanError.noSuchDevice`, `.deviceLacks` or `.noUsableDevice`.
    public func chooseDevice(index: Int? = nil) throws -> DeviceDescription {
        if let index {
            guard devices.indices.contains(index) else {
                throw VulkanError.noSuchDevice(index: index, devices: devices.map(\.summary))
            }
            let device = devices[index]
            guard device.isUsable else {
                throw VulkanError.deviceLacks(device: device.name, missing: device.missing)
            }
            return device
        }
        guard let index = Self.preferred(among: devices.map { ($0.kind, $0.isUsable) }) else {
            throw VulkanError.noUsableDevice(devices: devices.map(\.summary))
        }
        return devices[index]
    }

    /// The default's place in a list of devices; nil when none is usable.
    package static func preferred(among devices: [(kind: DeviceDescription.Kind, isUsable: Bool)]) -> Int? {
        let order: [DeviceDescription.Kind] = [.discrete, .integrated, .virtual, .cpu, .other]
        return order.lazy.compactMap { kind in devices.firstIndex { $0.kind == kind && $0.isUsable } }.first
    }

    private static let validationLayer = "VK_LAYER_KHRONOS_validation"

    private static func makeInstance(log: ValidationLog?) throws -> VkInstance {
        try withScratch { scratch in
            var application = VkApplicationInfo()
            application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO
            application.apiVersion = apiVersion.packed

            var info = VkInstanceCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
            info.pApplicationInfo = UnsafePointer(scratch.pointer(to: application))
            if let log {
                var chain = StructureChain(scratch)
                chain.link(log.messengerInfo(), VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT)
                var features = VkValidationFeaturesEXT()
                features.enabledValidationFeatureCount = 1
                features.pEnabledValidationFeatures = scratch.array([
                    VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT
                ])
                chain.link(features, VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT)
                var extensions = [VK_EXT_DEBUG_UTILS_EXTENSION_NAME]
                if try layerExtensions().contains(VK_EXT_LAYER_SETTINGS_EXTENSION_NAME) {
                    extensions.append(VK_EXT_LAYER_SETTINGS_EXTENSION_NAME)
                    chain.link(
                        accessSettings(scratch),
                        VkStructureType(UInt32(SHIM_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO)))
                }
                info.pNext = UnsafeRawPointer(chain.first)
                info.enabledLayerCount = 1
                info.ppEnabledLayerNames = scratch.cStrings([validationLayer])
                info.enabledExtensionCount = UInt32(extensions.count)
                info.ppEnabledExtensionNames = scratch.cStrings(extensions)
            }
            var instance: VkInstance?
            switch vkCreateInstance(&info, nil, &instance) {
            case VK_ERROR_INCOMPATIBLE_DRIVER: throw VulkanError.noDriver
            case VK_ERROR_LAYER_NOT_PRESENT where log != nil: throw VulkanError.validationLayerMissing
            case let result: try check(result, "vkCreateInstance")
            }
            guard let instance else { throw VulkanError.noDriver }
            return instance
        }
    }

    /// What the validation layer offers itself; nothing where it isn't installed.
    private static func layerExtensions() throws -> Set<String> {
        let found = try enumerate(of: VkExtensionProperties(), "vkEnumerateInstanceExtensionProperties") {
            let result = vkEnumerateInstanceExtensionProperties(validationLayer, $0, $1)
            return result == VK_ERROR_LAYER_NOT_PRESENT ? VK_SUCCESS : result
        }
        return Set(found.map { text(ofCharacters: $0.extensionName) })
    }

    /// Recent layers look at what kernels access only where they are told to.
    private static func accessSettings(_ scratch: Scratch) -> VkLayerSettingsCreateInfoEXT {
        var setting = VkLayerSettingEXT()
        setting.pLayerName = scratch.cString(validationLayer)
        setting.pSettingName = scratch.cString("syncval_shader_accesses_heuristic")
        setting.type = VK_LAYER_SETTING_TYPE_BOOL32_EXT
        setting.valueCount = 1
        setting.pValues = UnsafeRawPointer(scratch.pointer(to: VkBool32(VK_TRUE)))
        var settings = VkLayerSettingsCreateInfoEXT()
        settings.settingCount = 1
        settings.pSettings = scratch.array([setting])
        return settings
    }

    private static func makeMessenger(
        _ instance: VkInstance, log: ValidationLog
    ) throws -> VkDebugUtilsMessengerEXT? {
        guard let address = vkGetInstanceProcAddr(instance, "vkCreateDebugUtilsMessengerEXT") else { return nil }
        let create = unsafeBitCast(address, to: PFN_vkCreateDebugUtilsMessengerEXT.self)
        var info = log.messengerInfo()
        var messenger: VkDebugUtilsMessengerEXT?
        try check(create(instance, &info, nil, &messenger), "vkCreateDebugUtilsMessengerEXT")
        return messenger
    }

    private static func destroy(_ instance: VkInstance, _ messenger: VkDebugUtilsMessengerEXT?) {
        if let messenger, let address = vkGetInstanceProcAddr(instance, "vkDestroyDebugUtilsMessengerEXT") {
            unsafeBitCast(address, to: PFN_vkDestroyDebugUtilsMessengerEXT.self)(instance, messenger, nil)
        }
        vkDestroyInstance(instance, nil)
    }
}
