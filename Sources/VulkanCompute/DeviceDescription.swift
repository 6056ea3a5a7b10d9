/// A version as Vulkan packs it.
public struct VulkanVersion: Sendable, Comparable, CustomStringConvertible {
    public let major: Int
    public let minor: Int
    public let patch: Int

    public init(major: Int, minor: Int, patch: Int) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    init(packed: UInt32) {
        self.init(major: Int(packed >> 22 & 0x7F), minor: Int(packed >> 12 & 0x3FF), patch: Int(packed & 0xFFF))
    }

    var packed: UInt32 {
        UInt32(major) << 22 | UInt32(minor) << 12 | UInt32(patch)
    }

    public var description: String { "\(major).\(minor).\(patch)" }

    public static func < (left: Self, right: Self) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }
}

/// What a physical device is and can do, as far as compute needs to know.
public struct DeviceDescription: Sendable {
    public enum Kind: String, Sendable {
        case discrete, integrated, virtual, cpu, other
    }

    /// One memory heap. Sizes in bytes.
    public struct Heap: Sendable {
        public let byteCount: Int
        public let isDeviceLocal: Bool
        /// What this process may still use at the time of asking; nil where the driver does not tell
        /// (VK_EXT_memory_budget).
        public let free: Int?
    }

    /// Limits, under Vulkan's names. Sizes in bytes.
    public struct Limits: Sendable {
        public let maxStorageBufferRange: Int
        public let maxPushConstantsSize: Int
        public let minStorageBufferOffsetAlignment: Int
        /// Of a texel buffer: texels it can have, and what its start is a multiple of.
        public let maxTexelBufferElements: Int
        public let minTexelBufferOffsetAlignment: Int
        public let maxComputeSharedMemorySize: Int
        public let maxComputeWorkGroupInvocations: Int
        public let maxComputeWorkGroupSize: (x: Int, y: Int, z: Int)
        public let maxComputeWorkGroupCount: (x: Int, y: Int, z: Int)
        public let maxPerStageDescriptorStorageBuffers: Int
        /// The most storage buffers of one kernel; 0 without VK_KHR_push_descriptor.
        public let maxPushDescriptors: Int
        public let subgroupSize: Int
        /// The range of subgroup sizes (VK_EXT_subgroup_size_control); both `subgroupSize` without it.
        public let minSubgroupSize: Int
        public let maxSubgroupSize: Int
        public let maxMemoryAllocationSize: Int
        /// The largest VkBuffer, where the driver tells it (VK_KHR_maintenance4).
        public let maxBufferSize: Int?
        /// Nanoseconds per timestamp tick.
        public let timestampPeriod: Double
        /// Meaningful bits of a timestamp on the compute queue; 0 = no timestamps.
        public let timestampValidBits: Int
    }

    /// What a kernel may use. Each is turned on when a `Device` is made.
    public struct Features: Sendable {
        /// float16 arithmetic.
        public var float16 = false
        /// Subgroup arithmetic (add, max, ...) in compute shaders.
        public var subgroupArithmetic = false
        /// Values of other lanes (`subgroupShuffle`) in compute shaders.
        public var subgroupShuffle = false
        /// Kernels may require a size of subgroups, and that all are full (VK_EXT_subgroup_size_control).
        public var subgroupSizeControl = false
        /// Products of four pairs of 8-bit integers (VK_KHR_shader_integer_dot_product), with sign and packed in words.
        public var integerDotProduct = false
        /// Whether they are one operation, rather than what could be written out.
        public var acceleratesIntegerDotProduct = false
        public var timelineSemaphore = false
        public var pushDescriptor = false
        /// The Vulkan memory model with the device's scope: with the model alone turned on, no kernel may use that scope.
        public var vulkanMemoryModel = false
        /// Cooperative matrices: extension and feature bit both present.
        public var cooperativeMatrixKHR = false
        public var cooperativeMatrixNV = false

        package init() {}
    }

    /// Place in Vulkan's enumeration order; what `Instance.chooseDevice(index:)` takes.
    public let index: Int
    public let name: String
    public let kind: Kind
    public let driverName: String
    /// The driver's own words about its version and build.
    public let driverInfo: String
    /// Packed as the vendor likes; `driverInfo` is for people.
    public let driverVersion: UInt32
    public let apiVersion: VulkanVersion
    public let vendorID: UInt32
    public let deviceID: UInt32
    /// Changes when compiled pipelines of this driver become unusable (16 bytes).
    public let pipelineCacheUUID: [UInt8]
    public let heaps: [Heap]
    public let limits: Limits
    public let features: Features
    /// Shapes of cooperative matrix products, empty without the feature.
    public let cooperativeMatrixShapes: [CooperativeMatrixShape]
    /// Multiprocessors (VK_NV_shader_sm_builtins) or compute units (VK_AMD_shader_core_properties); nil where unknown.
    public let coreCount: Int?
    /// What the device lacks of the required set, in words.
    public let missing: [String]

    /// Queue family with compute that a `Device` takes; nil where there is none.
    let queueFamily: Int?
    let extensions: Set<String>

    public var isUsable: Bool { missing.isEmpty }

    /// Bytes of device-local memory.
    public var totalDeviceLocalBytes: Int {
        heaps.filter(\.isDeviceLocal).reduce(0) { $0 + $1.byteCount }
    }

    /// Free bytes of device-local memory when the instance was made; nil where the driver does not tell.
    public var freeDeviceLocalBytes: Int? {
        let free = heaps.filter(\.isDeviceLocal).compactMap(\.free)
        return free.isEmpty ? nil : free.reduce(0, +)
    }

    /// One line: index, name, kind, and what it lacks.
    public var summary: String {
        "\(index): \(name) (\(kind.rawValue))" + (isUsable ? "" : ", lacks " + missing.joined(separator: ", "))
    }

    /// What `missing` says of a device; what is asked for here, every kernel may count on.
    package static func missing(
        apiVersion: VulkanVersion, features: Features, maxPushConstantsSize: Int, maxComputeSharedMemorySize: Int,
        hasComputeQueue: Bool
    ) -> [String] {
        var missing: [String] = []
        if apiVersion < Instance.apiVersion { missing.append("Vulkan 1.2 (has \(apiVersion))") }
        if !features.pushDescriptor { missing.append("VK_KHR_push_descriptor") }
        if !features.timelineSemaphore { missing.append("timelineSemaphore") }
        if !features.subgroupArithmetic { missing.append("subgroup arithmetic in compute shaders") }
        if !hasComputeQueue { missing.append("a compute queue") }
        if maxPushConstantsSize < 128 { missing.append("128 bytes of push constants (has \(maxPushConstantsSize))") }
        if maxComputeSharedMemorySize < 32 << 10 {
            missing.append("32 KiB of shared memory (has \(maxComputeSharedMemorySize >> 10))")
        }
        return missing
    }
}
