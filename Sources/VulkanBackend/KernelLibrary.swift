import Inference
import VulkanCompute

/// The pipelines of one device, made when a plan first needs them.
final class KernelLibrary {
    private let device: Device
    private var kernels: [PipelineKey: Kernel] = [:]
    let progress = KernelProgress()
    /// Those that were launched. Drivers of CPUs compile a kernel when it is launched first.
    private var launched: Set<PipelineKey> = []
    /// Whether launching a kernel first takes long.
    private var compilesAtLaunch: Bool { device.description.kind == .cpu }

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
        progress.want(descriptions.count)
        let made = try device.makeKernels(descriptions) { [progress, compilesAtLaunch] in
            if !compilesAtLaunch { progress.finish() }
        }
        for (pipeline, kernel) in zip(sorted.map(\.key), made) { kernels[pipeline] = kernel }
    }

    /// The places in `dispatches` where a kernel is launched that the driver compiles there.
    func compilations(in dispatches: [Dispatch]) -> Set<Int> {
        guard compilesAtLaunch else { return [] }
        var known = launched
        return Set(dispatches.indices.filter { known.insert(dispatches[$0].pipeline).inserted })
    }

    /// To be called once these were submitted.
    func noteLaunches(of dispatches: [Dispatch]) {
        guard compilesAtLaunch else { return }
        for dispatch in dispatches { launched.insert(dispatch.pipeline) }
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
