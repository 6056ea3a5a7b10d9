import CVulkan

/// What can go wrong between this module and a Vulkan device. `description` is one line: what, where, how to mend.
public enum VulkanError: Error, Sendable, CustomStringConvertible {
    /// No Vulkan driver is installed, or none finds a device.
    case noDriver
    /// The Khronos validation layer was asked for and is not installed.
    case validationLayerMissing
    /// `index` is not among the devices there are (`devices`: a line each).
    case noSuchDevice(index: Int, devices: [String])
    /// No device has all that is needed (`devices`: a line each, with what it lacks).
    case noUsableDevice(devices: [String])
    /// The chosen device lacks something of the required set.
    case deviceLacks(device: String, missing: [String])
    /// An allocation did not fit.
    case outOfMemory(OutOfMemory)
    /// A byte range or size that a buffer or an operation does not allow.
    case invalidRange(label: String, problem: String)
    /// A kernel could not be made.
    case kernel(label: String, problem: String)
    /// A command could not be recorded.
    case recording(list: String, command: String, problem: String)
    /// The device stopped answering: a driver crash, a reset, or a job the driver killed.
    case deviceLost(during: String)
    /// Any other failing Vulkan call.
    case call(String, result: String)

    /// The facts of an allocation that did not fit. All sizes in bytes.
    public struct OutOfMemory: Sendable {
        /// What the memory was for.
        public let label: String
        public let requested: Int
        /// Bytes this process has reserved in this kind of memory.
        public let reserved: Int
        /// Bytes free, as the driver tells them; total less reserved where it does not.
        public let free: Int
        public let total: Int
        /// The largest single allocation the device makes, when that is what was exceeded.
        public let allocationLimit: Int?
    }

    public var description: String {
        switch self {
        case .noDriver:
            return "no Vulkan driver found a device; install the GPU vendor's driver, "
                + "or mesa-vulkan-drivers (its lavapipe runs on any CPU)"
        case .validationLayerMissing:
            return "the Vulkan validation layer is not installed; install vulkan-validationlayers, "
                + "or run without validation"
        case .noSuchDevice(let index, let devices):
            return "there is no Vulkan device \(index); there are: " + devices.joined(separator: "; ")
        case .noUsableDevice(let devices):
            return "no Vulkan device has what is needed: " + devices.joined(separator: "; ")
        case .deviceLacks(let device, let missing):
            return "\(device) lacks \(missing.joined(separator: ", ")); update its driver or choose another device"
        case .outOfMemory(let facts):
            return facts.description
        case .invalidRange(let label, let problem):
            return "\(label): \(problem)"
        case .kernel(let label, let problem):
            return "kernel \(label): \(problem)"
        case .recording(let list, let command, let problem):
            return "\(list), \(command): \(problem)"
        case .deviceLost(let call):
            return "the Vulkan device was lost during \(call): its driver was reset, by a fault or by another program; "
                + "see the kernel log (dmesg), then run again, or on another device"
        case .call(let name, let result):
            return "\(name) failed with \(result)"
        }
    }
}

extension VulkanError.OutOfMemory: CustomStringConvertible {
    public var description: String {
        let asked = "\(label): \(formatBytes(requested)) of device memory asked"
        if let allocationLimit {
            return "\(asked), one allocation of this device holds at most \(formatBytes(allocationLimit)); "
                + "split it, use a smaller data type, or choose another device"
        }
        return "\(asked), \(formatBytes(free)) free of \(formatBytes(total)) (\(formatBytes(reserved)) held here); "
            + "use smaller data types or shorter inputs, close other users of the device, or choose another device"
    }
}

/// Throws unless `result` is success; `call` names the Vulkan function.
func check(_ result: VkResult, _ call: @autoclosure () -> String) throws {
    switch result {
    case VK_SUCCESS: return
    case VK_ERROR_DEVICE_LOST: throw VulkanError.deviceLost(during: call())
    default: throw VulkanError.call(call(), result: resultName(result))
    }
}

/// The specification's name of a result code.
func resultName(_ result: VkResult) -> String {
    switch result {
    case VK_NOT_READY: "VK_NOT_READY"
    case VK_TIMEOUT: "VK_TIMEOUT"
    case VK_INCOMPLETE: "VK_INCOMPLETE"
    case VK_ERROR_OUT_OF_HOST_MEMORY: "VK_ERROR_OUT_OF_HOST_MEMORY"
    case VK_ERROR_OUT_OF_DEVICE_MEMORY: "VK_ERROR_OUT_OF_DEVICE_MEMORY"
    case VK_ERROR_INITIALIZATION_FAILED: "VK_ERROR_INITIALIZATION_FAILED"
    case VK_ERROR_DEVICE_LOST: "VK_ERROR_DEVICE_LOST"
    case VK_ERROR_MEMORY_MAP_FAILED: "VK_ERROR_MEMORY_MAP_FAILED"
    case VK_ERROR_LAYER_NOT_PRESENT: "VK_ERROR_LAYER_NOT_PRESENT"
    case VK_ERROR_EXTENSION_NOT_PRESENT: "VK_ERROR_EXTENSION_NOT_PRESENT"
    case VK_ERROR_FEATURE_NOT_PRESENT: "VK_ERROR_FEATURE_NOT_PRESENT"
    case VK_ERROR_INCOMPATIBLE_DRIVER: "VK_ERROR_INCOMPATIBLE_DRIVER"
    case VK_ERROR_TOO_MANY_OBJECTS: "VK_ERROR_TOO_MANY_OBJECTS"
    case VK_ERROR_INVALID_SHADER_NV: "VK_ERROR_INVALID_SHADER_NV"
    case VK_PIPELINE_COMPILE_REQUIRED: "VK_PIPELINE_COMPILE_REQUIRED"
    default: "VkResult \(result.rawValue)"
    }
}

/// Bytes for people: the largest binary unit that leaves at least one, to one decimal.
func formatBytes(_ bytes: Int) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    return unit == 0 ? "\(bytes) bytes" : "\((value * 10).rounded() / 10) \(units[unit])"
}
