import Inference
import VulkanCompute

/// One kernel launch, before its pipeline exists.
struct Dispatch {
    /// The kernel's name and variant, as the embedded shader is called: `linear TYPE=BF16 TILE=8x8`.
    var kernel: String
    var pipeline: PipelineKey { PipelineKey(kernel: kernel, specialization: specialization) }
    /// Names the launch in profiles.
    var label: String
    var bindings: [BufferBinding]
    /// Which of them the kernel reads as texels.
    var texelBindings: Set<Int> = []
    /// The values of specialization constants 0, 1, ...
    var specialization: [UInt32] = []
    /// Invocations of each subgroup, where the kernel relies on it.
    var subgroupSize: Int?
    /// The push constants, in the order the shader declares them.
    var constants: [UInt32]
    var groups: (x: Int, y: Int, z: Int)
    var cost: DispatchCost
}

/// Tells pipelines apart.
struct PipelineKey: Hashable {
    var kernel: String
    var specialization: [UInt32]

    var label: String { specialization.isEmpty ? kernel : "\(kernel) \(specialization)" }
}

/// What kernels of one element type are called in variants.
extension ElementType {
    var variant: String { "TYPE=\(rawValue.uppercased())" }

    /// The unit of row offsets and strides in kernels that read several columns at once: eight elements, or a unit of a
    /// quantized row.
    var loadBytes: Int { blockFormat == nil ? 8 * byteCount : BlockFormat.unitBytes }
}

extension FixedWidthInteger {
    /// How many groups of `size` hold this many.
    func groups(of size: Self) -> Self { (self + size - 1) / size }
}

/// Push constants from counts and offsets, all of which a tensor's size bounds.
func constants(_ values: Int...) -> [UInt32] {
    values.map { UInt32($0) }
}
