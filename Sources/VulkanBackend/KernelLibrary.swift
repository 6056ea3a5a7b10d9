import Inference
import VulkanCompute

/// The pipelines of one device, made when a plan first needs them.
final class KernelLibrary {
    private let device: Device
    private var kernels: [PipelineKey: Kernel] = [:]

    init(device: Device) {
        self.device = device
    }

    /// Makes what `dispatches` need and is not there yet, all at once, so that they compile side by side.
    func prepare(_ dispatches: [Dispatch]) throws {
        var wanted: [PipelineKey: Dispatch] = [:]
        for dispatch in dispatches where kernels[dispatch.pipeline] == nil {
            wanted[dispatch.pipeline] = dispatch
        }
        let sorted = wanted.sorted { $0.key.label < $1.key.label }
        let descriptions = try sorted.map { pipeline, dispatch in
            guard let shader = EmbeddedShaders[dispatch.kernel] else {
                throw InferenceError.badGraph("there is no kernel \"\(dispatch.kernel)\" among the embedded shaders")
            }
            return KernelDescription(
                label: pipeline.label, spirv: shader.spirv(), storageBuffers: dispatch.bindings.count,
                texelBindings: dispatch.texelBindings, pushConstantBytes: dispatch.constants.count * 4,
                specialization: dispatch.specialization.enumerated().map { (UInt32($0), $1) },
                subgroupSize: dispatch.subgroupSize)
        }
        for (pipeline, kernel) in zip(sorted.map(\.key), try device.makeKernels(descriptions)) {
            kernels[pipeline] = kernel
        }
    }

    /// - Parameter dispatch: one that `prepare` has seen.
    func record(_ dispatch: Dispatch, into recorder: CommandRecorder) throws {
        guard let kernel = kernels[dispatch.pipeline] else {
            throw InferenceError.badGraph("kernel \"\(dispatch.kernel)\" was not prepared")
        }
        try dispatch.constants.withUnsafeBytes {
            try recorder.dispatch(
                kernel, label: dispatch.label, bindings: dispatch.bindings, pushConstants: $0,
                firstY: dispatch.firstY, groups: dispatch.groups, cost: dispatch.cost)
        }
    }
}
