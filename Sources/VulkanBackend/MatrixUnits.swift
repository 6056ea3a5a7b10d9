import Inference
import VulkanCompute

/// A device's matrix units (`VK_KHR_cooperative_matrix`, else `VK_NV_cooperative_matrix`), which products and attention of many
/// tokens run on.
struct MatrixUnits {
    /// Invocations of a subgroup that multiplies.
    let lanes: Int
    /// What a subgroup multiplies at once: tokens, rows of the weight and columns, or what takes their places.
    let shape: CooperativeMatrixShape
    /// The wider tile takes less of memory for each product, but pays only where there are enough to fill the device.
    let fewestWideGroups: Int

    /// - Returns: nil where the device, or this build, has nothing that the kernels can use.
    init?(of device: DeviceDescription) {
        let built = Self.shapes(of: device).filter { shape in
            EmbeddedShaders["linear TYPE=F16 \(Self.tile(shape, isWide: false))"] != nil
        }
        let best = built.max { ($0.isNV ? 0 : 1, $0.m * $0.n * $0.k) < ($1.isNV ? 0 : 1, $1.m * $1.n * $1.k) }
        guard let best else { return nil }
        lanes = Self.lanes(of: device)
        shape = best
        fewestWideGroups = (device.coreCount ?? 128) * 3 / 2
    }

    /// Where devices have several sizes of subgroups, the least is the one that matrices are made for.
    private static func lanes(of device: DeviceDescription) -> Int { device.limits.minSubgroupSize }

    /// The shapes that the kernels can use, whether this build has them or not.
    private static func shapes(of device: DeviceDescription) -> [CooperativeMatrixShape] {
        let (features, lanes) = (device.features, lanes(of: device))
        guard features.float16, features.vulkanMemoryModel, features.subgroupSizeControl, (8...64).contains(lanes),
            device.limits.maxComputeSharedMemorySize >= 32 << 10
        else { return [] }
        return device.cooperativeMatrixShapes.filter { shape in
            shape.a == .float16 && shape.b == .float16 && shape.c == .float32 && shape.result == .float32
                && lanes.isMultiple(of: shape.m) && [8, 16].contains(shape.n) && [8, 16, 32].contains(shape.k)
        }
    }

    func tile(_ weight: TensorShape, tokens: Int) -> LinearTile {
        let isWide = weight.rows.groups(of: 128) * tokens.groups(of: 64) * weight.batch >= fewestWideGroups
        return LinearTile(
            variant: Self.tile(shape, isWide: isWide), groupRows: isWide ? 128 : 64, tokens: 64, matrixUnits: self,
            splitsColumns: true)
    }

    /// The kernels' specialization constants.
    var specialization: [UInt32] { [lanes, shape.m, shape.n, shape.k].map { UInt32($0) } }

    /// What variants of kernels are called by: the extension.
    var variant: String { Self.variant(shape) }

    /// Floating-point operations of one product of matrices.
    var flops: Int { 2 * shape.m * shape.n * shape.k }

    private static func variant(_ shape: CooperativeMatrixShape) -> String { shape.isNV ? "NV" : "KHR" }

    /// The variant of `linear`.
    private static func tile(_ shape: CooperativeMatrixShape, isWide: Bool) -> String {
        "TILE=" + variant(shape) + (isWide ? "128x64" : "64x64")
    }
}

extension MatrixUnits: CustomStringConvertible {
    var description: String { "\(variant) \(shape.m)x\(shape.n)x\(shape.k)" }

    static func exist(on device: DeviceDescription) -> Bool { !shapes(of: device).isEmpty }
}
