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
    /// Kernels may ask how many there are in x and z, but not in y: a launch that takes long is divided there.
    var groups: (x: Int, y: Int, z: Int)
    /// Where y starts, in a part of a launch.
    var firstY = 0
    var cost: DispatchCost
    /// What each row costs besides that a cache held before the run, and the number of these.
    var cached: (costOfRow: DispatchCost, rows: VulkanTensor)?

    /// Those of the workgroups whose second coordinate is in `y`, with their share of the cost.
    func part(_ y: Range<Int>) -> Dispatch {
        guard y.count < groups.y else { return self }
        var part = self
        part.cost = SubmissionCut.Launch(cost: cost, groupsY: groups.y).cost(of: y)
        part.firstY = y.lowerBound
        part.groups.y = y.count
        return part
    }
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
