import Inference
import VulkanCompute

/// What a device was measured to do at most; `VulkanBackend.measureLimits` says how.
public struct DeviceLimits: Sendable {
    /// Bytes read and written per second, counted both, when memory is copied.
    public var copyBytesPerSecond: Double
    /// Bytes per second when memory is only read.
    public var readBytesPerSecond: Double
    /// Floating-point operations per second of float32 multiply-adds in registers, two for each.
    public var flopsPerSecond: Double
    /// Those of the device's matrix units, float16 with sums in float32; nil where products don't run on any.
    public var matrixFlopsPerSecond: Double?

    /// The faster of the two ways to move bytes.
    public var bytesPerSecond: Double { max(copyBytesPerSecond, readBytesPerSecond) }
}

extension VulkanBackend {
    /// Measures the device, each figure as the best of several runs.
    ///
    /// Memory is copied by the copy command and by a kernel, and read by kernels through storage and texel buffers, whichever is
    /// faster, in buffers larger than caches are. Multiply-adds, and those of matrices, run in eight independent chains in each of
    /// many invocations, or subgroups.
    ///
    /// - Throws: `VulkanError.outOfMemory` without room for two buffers of 256 MiB.
    public func measureLimits() throws -> DeviceLimits {
        let byteCount = 256 << 20
        let source = try device.makeBuffer(label: "limits source", byteCount: byteCount)
        let target = try device.makeBuffer(label: "limits target", byteCount: byteCount)
        let clearing = try device.makeRecorder(label: "clear")
        try clearing.fill(source)
        try clearing.fill(target)
        try device.wait(try device.submit(clearing.finish()))

        let library = KernelLibrary(device: device)
        func seconds(_ measures: String, texels: Bool = false) throws -> Double {
            let limits = device.description.limits
            let most = min(limits.maxStorageBufferRange, texels ? limits.maxTexelBufferBytes : .max)
            // A power of two, so that every window starts as aligned as devices ask for.
            var windowBytes = byteCount
            while windowBytes > most { windowBytes /= 2 }
            let dispatches = stride(from: 0, to: byteCount, by: windowBytes).map { offset in
                Self.dispatch(
                    measures, count: windowBytes / 16, groups: 4096,
                    .read(source, offset: offset, byteCount: windowBytes),
                    .write(target, offset: offset, byteCount: windowBytes), texels: texels)
            }
            return try bestSeconds(dispatches, library)
        }
        let copyCommand = try bestSeconds { try $0.copy(from: source, to: target, byteCount: byteCount) }
        let copySeconds = min(copyCommand, try seconds("COPY"))
        let readSeconds = min(try seconds("READ"), try seconds("READ_TEXELS", texels: true))
        return DeviceLimits(
            copyBytesPerSecond: Double(2 * byteCount) / copySeconds,
            readBytesPerSecond: Double(byteCount) / readSeconds,
            flopsPerSecond: try measureMultiplyAdds(source, target, library),
            matrixFlopsPerSecond: try matrixUnits.map { try measureMatrices($0, source, target, library) })
    }

    private func measureMultiplyAdds(_ source: Buffer, _ target: Buffer, _ library: KernelLibrary) throws -> Double {
        let (groups, invocations, flopsPerLoop) = (8192, Self.invocations, 2 * 8 * 16)
        return try measureLoops(flops: groups * invocations * flopsPerLoop, library) { loops in
            Self.dispatch(
                "MULTIPLY_ADD", count: loops, groups: groups, .read(source, byteCount: 16),
                .write(target, byteCount: 16))
        }
    }

    private func measureMatrices(
        _ units: MatrixUnits, _ source: Buffer, _ target: Buffer, _ library: KernelLibrary
    ) throws -> Double {
        let (groups, subgroups) = (2048, Self.invocations / units.lanes)
        return try measureLoops(flops: groups * subgroups * 8 * units.flops, library) { loops in
            var dispatch = Self.dispatch(
                "MATRICES_\(units.variant)", count: loops, groups: groups, .read(source, byteCount: 16),
                .write(target, byteCount: 16))
            dispatch.specialization = units.specialization
            dispatch.subgroupSize = units.lanes
            return dispatch
        }
    }

    /// Of a workgroup.
    private static let invocations = 64

    /// Doubles the work until it takes so long that starting it doesn't count.
    ///
    /// - Parameter flops: of one loop of `dispatch`.
    private func measureLoops(
        flops: Int, _ library: KernelLibrary, dispatch: (_ loops: Int) -> Dispatch
    ) throws -> Double {
        var loops = 4
        while true {
            let seconds = try bestSeconds([dispatch(loops)], library)
            if seconds > 0.05 || loops > 1 << 20 { return Double(flops * loops) / seconds }
            loops *= 2
        }
    }

    private static func dispatch(
        _ measures: String, count: Int, groups: Int, _ source: BufferBinding, _ target: BufferBinding,
        texels: Bool = false
    ) -> Dispatch {
        Dispatch(
            kernel: "device_limits MEASURES=\(measures)", label: measures, bindings: [source, target],
            texelBindings: texels ? [0] : [],
            constants: [UInt32(count), Float(0.5).bitPattern, Float(1).bitPattern], groups: (groups, 1, 1),
            cost: DispatchCost())
    }

    private func bestSeconds(_ dispatches: [Dispatch], _ library: KernelLibrary) throws -> Double {
        try library.prepare(dispatches)
        return try bestSeconds { recorder in
            for dispatch in dispatches { try library.record(dispatch, into: recorder) }
        }
    }

    /// The shortest of several runs, by the device's clock where it has one.
    private func bestSeconds(_ record: (CommandRecorder) throws -> Void) throws -> Double {
        let recorder = try device.makeRecorder(label: "limits", timing: .wholeList)
        try record(recorder)
        let list = try recorder.finish()
        let clock = ContinuousClock()
        return try (0..<3).map { _ in
            let start = clock.now
            try device.wait(try device.submit(list))
            let elapsed = (clock.now - start).seconds
            return try list.lastElapsedSeconds() ?? elapsed
        }.min() ?? 0
    }
}
