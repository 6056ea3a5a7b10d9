import CVulkan

/// One shape of matrix product, A[m, k] B[k, n] + C[m, n], that subgroups of a device compute together.
public struct CooperativeMatrixShape: Sendable, Equatable {
    /// Element types by VkComponentTypeKHR.
    public enum Element: UInt32, Sendable {
        case float16 = 0
        case float32, float64, sint8, sint16, sint32, sint64, uint8, uint16, uint32, uint64
        case bfloat16 = 1_000_141_000
    }

    public let m: Int
    public let n: Int
    public let k: Int
    public let a: Element
    public let b: Element
    public let c: Element
    public let result: Element
    /// Listed by VK_NV_cooperative_matrix (else by VK_KHR_cooperative_matrix).
    public let isNV: Bool

    /// Subgroup-scope shapes of a device, of those extensions it has turned on. Shapes with element types unknown here
    /// are left out.
    static func shapes(
        of device: VkPhysicalDevice, instance: VkInstance, khr: Bool, nv: Bool
    ) throws -> [CooperativeMatrixShape] {
        var shapes: [CooperativeMatrixShape] = []
        let khrName = "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR"
        if khr, let address = vkGetInstanceProcAddr(instance, khrName),
            let query = unsafeBitCast(address, to: PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR?.self)
        {
            var empty = VkCooperativeMatrixPropertiesKHR()
            empty.sType = VkStructureType(UInt32(SHIM_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR))
            let found = try enumerate(of: empty, khrName) { query(device, $0, $1) }
            shapes += found.filter { $0.scope == VK_SCOPE_SUBGROUP_NV }.compactMap {
                Self(
                    $0.MSize, $0.NSize, $0.KSize, [$0.AType, $0.BType, $0.CType, $0.ResultType], isNV: false)
            }
        }
        let nvName = "vkGetPhysicalDeviceCooperativeMatrixPropertiesNV"
        if nv, let address = vkGetInstanceProcAddr(instance, nvName),
            let query = unsafeBitCast(address, to: PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesNV?.self)
        {
            var empty = VkCooperativeMatrixPropertiesNV()
            empty.sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_NV
            let found = try enumerate(of: empty, nvName) { query(device, $0, $1) }
            shapes += found.filter { $0.scope == VK_SCOPE_SUBGROUP_NV }.compactMap {
                Self($0.MSize, $0.NSize, $0.KSize, [$0.AType, $0.BType, $0.CType, $0.DType], isNV: true)
            }
        }
        return shapes
    }

    private init?(_ m: UInt32, _ n: UInt32, _ k: UInt32, _ types: [VkComponentTypeNV], isNV: Bool) {
        let elements = types.compactMap { Element(rawValue: $0.rawValue) }
        guard elements.count == 4 else { return nil }
        self.m = Int(m)
        self.n = Int(n)
        self.k = Int(k)
        (a, b, c, result) = (elements[0], elements[1], elements[2], elements[3])
        self.isNV = isNV
    }
}
