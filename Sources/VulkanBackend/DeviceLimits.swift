import Inference
import VulkanCompute

/// What a device was measured to do at most; `VulkanBackend.measureLimits` says how.
public struct DeviceLimits: Sendable {
    /// Bytes per second, by one way to measure them.
    public struct MemoryRates: Sendable {
        /// Read and written, counted both, when memory is copied.
        public var copy: Double
        /// When memory is only read.
        public var read: Double

        public init(copy: Double, read: Double) {
            self.copy = copy
            self.read = read
        }
    }

    /// What kernels, and the copy command, reach as the driver compiles them.
    public var kernelMemory: MemoryRates
    /// What the machine's processors reach outside of kernels; nil unless they are the device.
    public var hostMemory: MemoryRates?
    /// Floating-point operations per second of float32 multiply-adds in registers, two for each, as the driver compiles them.
    public var flopsPerSecond: Double
    /// Those of the device's matrix units, float16 with sums in float32; nil where products don't run on any.
    public var matrixFlopsPerSecond: Double?

    public init(
        kernelMemory: MemoryRates, hostMemory: MemoryRates? = nil, flopsPerSecond: Double,
        matrixFlopsPerSecond: Double? = nil
    ) {
        self.kernelMemory = kernelMemory
        self.hostMemory = hostMemory
        self.flopsPerSecond = flopsPerSecond
        self.matrixFlopsPerSecond = matrixFlopsPerSecond
    }

    /// Of the device: the faster way to measure.
    public var copyBytesPerSecond: Double { max(kernelMemory.copy, hostMemory?.copy ?? 0) }
    /// Of the device: the faster way to measure.
    public var readBytesPerSecond: Double { max(kernelMemory.read, hostMemory?.read ?? 0) }

    /// The faster of the two ways to move bytes.
    public var bytesPerSecond: Double { max(copyBytesPerSecond, readBytesPerSecond) }

    /// What work took of a device, as shares of what it can do.
    public struct Shares: Sendable {
        public var bandwidth: Double
        /// Of the matrix units where products run on any.
        public var arithmetic: Double

        /// A share above all there is: of bytes that were in a cache, or of limits that were measured while something else ran.
        public var exceedsLimits: Bool { bandwidth > 1 || arithmetic > 1 }
    }

    /// - Parameter seconds: that work with so many bytes and operations took; above 0.
    public func shares(bytes: Int, flops: Int, seconds: Double) -> Shares {
        Shares(
            bandwidth: Double(bytes) / seconds / bytesPerSecond,
            arithmetic: Double(flops) / seconds / (matrixFlopsPerSecond ?? flopsPerSecond))
    }
}

extension VulkanBackend {
    /// Measures the device, each figure as the best of several runs.
    ///
    /// Memory is copied by the copy command and by a kernel, and read by kernels in several ways, in buffers as large as most caches;
    /// where the device is the CPU, the host reads and copies them too. Multiply-adds, fused and not, and those of matrices, run in
    /// eight independent chains in each of many invocations, or subgroups.
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
        func seconds(_ measures: String, groups: Int = 4096, texels: Bool = false) throws -> Double {
            let limits = device.description.limits
            let most = min(limits.maxStorageBufferRange, texels ? limits.maxTexelBufferBytes : .max)
            // A power of two, so that every window starts as aligned as devices ask for.
            var windowBytes = byteCount
            while windowBytes > most { windowBytes /= 2 }
            let dispatches = stride(from: 0, to: byteCount, by: windowBytes).map { offset in
                Self.dispatch(
                    measures, count: windowBytes / 16, groups: groups,
                    .read(source, offset: offset, byteCount: windowBytes),
                    .write(target, offset: offset, byteCount: windowBytes), texels: texels)
            }
            return try bestSeconds(dispatches, library)
        }
        let copyCommand = try bestSeconds { try $0.copy(from: source, to: target, byteCount: byteCount) }
        let copySeconds = min(copyCommand, try seconds("COPY"))
        // One load after the other or four at once, by few workgroups or many: which is fastest differs from device to device.
        let reads = try ["READ", "READ_FOUR"].flatMap { measures in
            try [1024, 4096, 16384].map { try seconds(measures, groups: $0) }
        }
        let readSeconds = min(try seconds("READ_TEXELS", texels: true), reads.min() ?? .infinity)
        return DeviceLimits(
            kernelMemory: .init(
                copy: Double(2 * byteCount) / copySeconds, read: Double(byteCount) / readSeconds),
            hostMemory: hostMemoryRates(source, target, byteCount),
            flopsPerSecond: try max(
                measureMultiplyAdds("MULTIPLY_ADD", source, target, library),
                measureMultiplyAdds("FUSED_MULTIPLY_ADD", source, target, library)),
            matrixFlopsPerSecond: try matrixUnits.map { try measureMatrices($0, source, target, library) })
    }

    /// Nothing runs on the device meanwhile.
    private func hostMemoryRates(_ source: Buffer, _ target: Buffer, _ byteCount: Int) -> DeviceLimits.MemoryRates? {
        guard device.description.kind == .cpu, let from = source.mapped, let to = target.mapped else { return nil }
        let rates = HostMemoryRates(source: from, target: to, byteCount: byteCount)
        return DeviceLimits.MemoryRates(copy: rates.copy, read: rates.read)
    }

    private func measureMultiplyAdds(
        _ measures: String, _ source: Buffer, _ target: Buffer, _ library: KernelLibrary
    ) throws -> Double {
        let (groups, invocations, flopsPerLoop) = (8192, Self.invocations, 2 * 8 * 16)
        return try measureLoops(flops: groups * invocations * flopsPerLoop, library) { loops in
            Self.dispatch(
                measures, count: loops, groups: groups, .read(source, byteCount: 16),
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
