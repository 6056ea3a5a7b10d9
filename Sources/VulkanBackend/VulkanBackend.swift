import Foundation
import Inference
import VulkanCompute

/// Choices of a `VulkanBackend`.
public struct VulkanBackendOptions: Sendable {
    /// Measures every kernel launch; launches then run one at a time.
    public var profiles = false
    /// Places a full barrier after every launch. It must not change a byte.
    public var usesFullBarriers = false
    /// Binds at most this many bytes at once; nil is the device's own limit. Tests see windows with it without tensors of
    /// hundreds of megabytes.
    public var maximumBindingBytes: Int?
    /// Takes the kernels for devices that load lane by lane; nil is what the device's properties say.
    public var loadsByLane: Bool?
    /// Products and attention of many tokens run on the device's matrix units; nil where it has them and they prove right.
    public var matrixUnits: Bool?
    /// Products of quantized weights with one token run on products of 8-bit integers; nil where the device is fast at these.
    public var integerProducts: Bool?
    /// The most seconds that one submission should take; nil is what no driver ends, some 100 ms.
    public var submissionSeconds: Double?

    public init() {}
}

/// The ops of a graph on a Vulkan device.
///
/// Not thread-safe, as `Backend` says.
public final class VulkanBackend: Backend {
    /// Identifies this build's shaders to the pipeline cache on disk.
    public static var shaderHash: String { String(EmbeddedShaders.hash, radix: 16) }

    public let device: Device
    private let options: VulkanBackendOptions
    private let library: KernelLibrary
    /// Shared by all plans: they run one after another.
    private var scratch: Buffer?
    /// What the launches of one op, or the workgroups of one launch, hand on to each other.
    private lazy var temporary = TemporaryMemory(alignment: scratchAlignment) { [unowned self] byteCount in
        try makeScratch("temporary", byteCount)
    }
    /// Zeros, which every launch that counts with them leaves as zeros.
    private lazy var counters = TemporaryMemory(alignment: scratchAlignment) { [unowned self] byteCount in
        let buffer = try makeScratch("counters", byteCount)
        try clear(buffer)
        return buffer
    }
    /// The memory of these kinds that there is: also of plans that were recorded before it grew.
    private var scratchBuffers: [Weak<Buffer>] = []
    private var plans: [Weak<VulkanPlan>] = []
    private var phaseSeconds: [Phase: Double] = [:]
    private var profile = Profile()
    private var pace: WorkPace
    private var submissionTimes = SubmissionTimes()
    /// Submissions that have not completed yet, as far as is known, in which the driver compiles a kernel.
    private var compilations: [UInt64] = []
    /// Device seconds that first launches of kernels took where the driver compiles them then, as drivers of CPUs do. They
    /// belong to no phase.
    public private(set) var firstLaunchSeconds = 0.0

    public init(_ device: Device, options: VulkanBackendOptions = VulkanBackendOptions()) {
        self.device = device
        self.options = options
        library = KernelLibrary(device: device)
        pace = WorkPace(isDiscrete: device.description.kind == .discrete)
    }

    /// The most seconds that one submission should take.
    private var submissionBudget: Double { options.submissionSeconds ?? WorkPace.budget }

    public var name: String { device.description.name }

    public var maximumOutputBytes: Int { device.description.limits.maxStorageBufferRange }

    /// Drivers of CPUs use all cores for one kernel, and run the next one after it.
    public var runsKernelsSideBySide: Bool { device.description.kind != .cpu }

    /// A CPU's subgroups of eight lanes are vector registers. There every load is a gather, lane by lane, also where all lanes
    /// read one address; so few, wide loads pay.
    private var loadsByLane: Bool {
        let (description, limits) = (device.description, device.description.limits)
        let isPossible =
            limits.subgroupSize == 8 && description.features.subgroupShuffle
            && limits.maxTexelBufferBytes >= limits.maxStorageBufferRange
        return isPossible && options.loadsByLane ?? (description.kind == .cpu)
    }

    /// Whether any eight lanes side by side are of one subgroup and can exchange values.
    private var shufflesEights: Bool {
        device.description.limits.minSubgroupSize >= 8 && device.description.features.subgroupShuffle
    }

    /// Whether products and attention of many tokens run on the device's matrix units.
    public var usesMatrixUnits: Bool { matrixUnits != nil }

    private(set) lazy var matrixUnits: MatrixUnits? = {
        guard !loadsByLane, let units = MatrixUnits(of: device.description),
            options.matrixUnits ?? MatrixUnits.multiplyRight(on: device)
        else { return nil }
        return units
    }()

    /// Whether products of quantized weights with one token run on products of 8-bit integers.
    public var usesIntegerProducts: Bool { integerProducts != nil }

    private var integerProducts: IntegerProducts? {
        guard !loadsByLane, options.integerProducts ?? true else { return nil }
        return IntegerProducts(of: device.description, slow: options.integerProducts == true)
    }

    private var bindableBytes: Int {
        min(options.maximumBindingBytes ?? .max, device.description.limits.maxStorageBufferRange)
    }

    public var memory: MemoryUse {
        let statistics = device.memoryStatistics(.device)
        scratchBuffers.removeAll { $0.object == nil }
        return MemoryUse(
            current: statistics.inUse, peak: statistics.peak,
            scratch: scratchBuffers.reduce(0) { $0 + ($1.object?.byteCount ?? 0) },
            transfer: device.memoryStatistics(.staging).inUse + device.memoryStatistics(.hostReadable).inUse,
            reserved: statistics.reserved)
    }

    /// First launches count as the driver's compiler at work, which takes nearly all of their time.
    public var compileTime: CompileTime {
        var time = preparation
        time.kernels += firstLaunchSeconds
        return time
    }

    /// What was spent on making plans and pipelines, on the host.
    private var preparation = CompileTime()

    public var availableBytes: Int { device.availableMemory(.device) }

    // MARK: Tensors

    public func makeTensor(
        _ name: String, _ shape: TensorShape, _ type: ElementType, placement: TensorPlacement
    ) throws -> any StoredTensor {
        let tensor = try makeStorage(name, shape, type, kind: placement == .device ? .device : .hostReadable)
        try clear(tensor.buffer)
        return tensor
    }

    private func clear(_ buffer: Buffer) throws {
        let recorder = try device.makeRecorder(label: "clear \(buffer.label)")
        try recorder.fill(buffer)
        try device.submit(recorder.finish())
    }

    public func makeTensor(_ name: String, _ source: WeightSource, type: ElementType) throws -> any StoredTensor {
        let tensor = try makeStorage(name, source.shape, type, kind: .device)
        let rowBytes = type.rowBytes(columns: source.shape.columns)
        tensor.isInterleaved = interleavesRows(of: source.shape, type)
        let tileRows = tensor.isInterleaved ? InterleavedRows.tileRows : type.tileRows
        try device.upload(
            to: tensor.buffer, byteCount: tensor.byteCount, granularity: rowBytes * tileRows
        ) { chunk, offset in
            let firstRow = offset / rowBytes
            try source.write(rows: firstRow..<firstRow + chunk.count / rowBytes, as: type, into: chunk)
            if tensor.isInterleaved { InterleavedRows.reorder(chunk, rowBytes: rowBytes, interleaves: true) }
        }
        return tensor
    }

    public func makeRandomTensor(
        _ name: String, _ shape: TensorShape, _ type: ElementType, seed: UInt32, scale: Float
    ) throws -> any StoredTensor {
        let tensor = try makeStorage(name, shape, type, kind: .device)
        let fill = RandomFill(tensor: tensor, seed: seed, scale: scale, limits: device.description.limits)
        let dispatches = fill.dispatches()
        try prepare(dispatches)
        let recorder = try device.makeRecorder(label: "random \(name)")
        for dispatch in dispatches { try library.record(dispatch, into: recorder) }
        let submission = try device.submit(recorder.finish())
        compilations += library.compilations(in: dispatches).map { _ in submission }
        library.noteLaunches(of: dispatches)
        try tensor.reorder(interleaved: interleavesRows(of: shape, type), on: device)
        return tensor
    }

    /// Whether weights of this kind are stored so.
    private func interleavesRows(of shape: TensorShape, _ type: ElementType) -> Bool {
        loadsByLane && InterleavedRows.apply(to: shape, type)
    }

    private func makeStorage(
        _ name: String, _ shape: TensorShape, _ type: ElementType, kind: MemoryKind
    ) throws -> VulkanTensor {
        // Kernels read and write pairs and eights, whole words at least.
        let byteCount = max(16, type.byteCount(of: shape))
        let buffer = try device.makeBuffer(label: name, byteCount: byteCount, kind: kind)
        return VulkanTensor(name: name, shape: shape, type: type, buffer: buffer)
    }

    // MARK: Plans

    public func compile(_ graph: Graph) throws -> any Plan {
        let (start, kernelsBefore) = (ContinuousClock.now, preparation.kernels)
        defer {
            preparation.plans += (ContinuousClock.now - start).seconds - (preparation.kernels - kernelsBefore)
        }
        try graph.validate()
        let scratchPlan = ScratchPlan(graph, alignment: scratchAlignment, joined: graph.joinedProducts)
        let scratch = try scratchBuffer(byteCount: scratchPlan.byteCount)

        let weights = Set(graph.ops.flatMap(\.weights))
        var locations = [DispatchEncoder.Location?](repeating: nil, count: graph.tensors.count)
        for tensor in graph.handles {
            let info = graph.info(tensor)
            let byteCount = info.type.byteCount(of: info.shape)
            switch info.storage {
            case .scratch:
                guard let offset = scratchPlan.offsets[tensor], let scratch else { continue }
                locations[tensor.id] = DispatchEncoder.Location(buffer: scratch, offset: offset, byteCount: byteCount)
            case .bound(let stored):
                guard let bound = stored as? VulkanTensor else {
                    throw InferenceError.badGraph("\(info.name) is bound to another backend's tensor")
                }
                let isInterleaved = weights.contains(tensor) && interleavesRows(of: bound.shape, bound.type)
                try bound.fixOrder(interleaved: isInterleaved, on: device)
                locations[tensor.id] = DispatchEncoder.Location(
                    buffer: bound.buffer, offset: 0, byteCount: bound.buffer.byteCount, isInterleaved: isInterleaved,
                    tensor: bound)
            }
        }
        let encoder = DispatchEncoder(
            graph: graph, readCounts: graph.readCounts, locations: locations, limits: device.description.limits,
            bindableBytes: bindableBytes, loadsByLane: loadsByLane, shufflesEights: shufflesEights,
            matrixUnits: matrixUnits, integerProducts: integerProducts, temporary: temporary, counters: counters)
        let dispatches = try encoder.encode()
        try prepare(dispatches)

        let advances = graph.ops.compactMap { op -> (counter: VulkanTensor, amount: Int)? in
            guard case .advance(let op) = op, let counter = locations[op.counter.tensor.id]?.tensor else { return nil }
            return (counter, op.amount)
        }
        let plan = try VulkanPlan(
            name: graph.name, dispatches: dispatches, advances: advances, library: library, pace: pace,
            budget: submissionBudget
        ) {
            [device, library, options, name = graph.name] dispatches in
            let recorder = try device.makeRecorder(
                label: name, timing: options.profiles ? .perDispatch : .wholeList,
                barriers: options.usesFullBarriers ? .full : .derived)
            for dispatch in dispatches { try library.record(dispatch, into: recorder) }
            return try recorder.finish()
        }
        plans.removeAll { $0.object == nil }
        plans.append(Weak(object: plan))
        return plan
    }

    private func prepare(_ dispatches: [Dispatch]) throws {
        let start = ContinuousClock.now
        defer { preparation.kernels += (ContinuousClock.now - start).seconds }
        try library.prepare(dispatches)
    }

    private var scratchAlignment: Int { max(256, device.description.limits.minStorageBufferOffsetAlignment) }

    /// The scratch memory of all plans. A larger one replaces it; plans recorded with the old one keep that.
    private func scratchBuffer(byteCount: Int) throws -> Buffer? {
        guard byteCount > 0 else { return nil }
        if let scratch, scratch.byteCount >= byteCount { return scratch }
        let buffer = try makeScratch("scratch", byteCount)
        scratch = buffer
        return buffer
    }

    private func makeScratch(_ label: String, _ byteCount: Int) throws -> Buffer {
        let buffer = try device.makeBuffer(label: label, byteCount: byteCount)
        scratchBuffers.append(Weak(object: buffer))
        return buffer
    }

    // MARK: Running

    @discardableResult
    public func execute(_ plan: any Plan, inputs: [PlanInput], phase: Phase) throws -> Execution {
        guard let plan = plan as? VulkanPlan else {
            throw InferenceError.badGraph("\(plan.name) was compiled by another backend")
        }
        let updates = try inputs.map { input in
            guard let tensor = input.tensor as? VulkanTensor else {
                throw InferenceError.badGraph("\(input.tensor.name) is another backend's tensor")
            }
            try input.check()
            tensor.followed = input.values.first.map { Int($0) } ?? 0
            return BufferUpdate(tensor.buffer, values: input.values)
        }
        // What is done by now tells how to divide this.
        try collect()
        let submitted = try plan.submit(
            to: device, after: updates, phase: phase, pace: pace, budget: submissionBudget)
        compilations += submitted.compilations
        return Execution(value: submitted.last)
    }

    public func wait(_ execution: Execution) throws {
        if kernelObserver != nil {
            while try !compilations.isEmpty && !device.wait(execution.value, atMost: 0.1) { try countCompilations() }
        }
        try device.wait(execution.value)
        try countCompilations()
    }

    /// Told how many of the kernels that were asked for so far are ready to run, while they are compiled; on any thread.
    public var kernelObserver: (@Sendable (_ ready: Int, _ wanted: Int) -> Void)? {
        get { library.progress.observer }
        set { library.progress.observer = newValue }
    }

    private func countCompilations() throws {
        let left = try compilations.filter { try !device.isComplete($0) }
        // Also where none has completed meanwhile: who shows it may have waited to do so.
        if !compilations.isEmpty { library.progress.finish(compilations.count - left.count) }
        compilations = left
    }

    public func read(_ tensor: any StoredTensor) throws -> [Float] {
        guard let tensor = tensor as? VulkanTensor else {
            throw InferenceError.badGraph("\(tensor.name) is another backend's tensor")
        }
        var bytes = [UInt8](repeating: 0, count: tensor.byteCount)
        try bytes.withUnsafeMutableBytes {
            try device.download(from: tensor.buffer, into: $0)
            guard tensor.isInterleaved else { return }
            let rowBytes = tensor.type.rowBytes(columns: tensor.shape.columns)
            InterleavedRows.reorder($0, rowBytes: rowBytes, interleaves: false)
        }
        return bytes.withUnsafeBytes { tensor.shape.unpadded($0, as: tensor.type) }
    }

    public func readIDs(_ tensor: any StoredTensor, _ range: Range<Int>) throws -> [UInt32] {
        guard let tensor = tensor as? VulkanTensor, tensor.type == .u32, range.lowerBound >= 0,
            range.upperBound <= tensor.shape.columns
        else {
            throw InferenceError.badGraph("\(tensor.name) holds no ids \(range)")
        }
        if tensor.buffer.isHostReadable, tensor.buffer.kind == .hostReadable, let mapped = tensor.buffer.mapped {
            return range.map { mapped.load(fromByteOffset: $0 * 4, as: UInt32.self) }
        }
        return try device.download(
            UInt32.self, from: tensor.buffer, offset: range.lowerBound * 4, count: range.count)
    }

    // MARK: Timings

    public func seconds(in phase: Phase) throws -> Double {
        try collect()
        return phaseSeconds[phase] ?? 0
    }

    public func resetTimings() throws {
        try collect()
        phaseSeconds = [:]
        profile = Profile()
        submissionTimes = SubmissionTimes()
    }

    /// The submissions of the plans that ran since the last `resetTimings`.
    public func submissions() throws -> SubmissionTimes {
        try collect()
        return submissionTimes
    }

    /// The launches measured since the last `resetTimings`; empty unless the options ask for them.
    public func kernelProfile() throws -> [Profile.Row] {
        try collect()
        return profile.rows
    }

    private func collect() throws {
        for plan in plans { try plan.object?.collect(from: device, account: account) }
    }

    private func account(_ run: VulkanPlan.Run) throws {
        var measured: [(cost: DispatchCost, seconds: Double)] = []
        for (index, list) in run.lists.enumerated() {
            submissionTimes.count += 1
            guard let seconds = try list.lastElapsedSeconds() else { continue }
            if run.compilations[index] {
                firstLaunchSeconds += seconds
            } else {
                measured.append((run.costs[index], seconds))
                phaseSeconds[run.phase, default: 0] += seconds
                submissionTimes.longest = max(submissionTimes.longest, seconds)
            }
            if options.profiles {
                for timing in try list.lastKernelTimings() ?? [] { profile.add(timing) }
            }
        }
        pace.learn(measured, budget: submissionBudget)
    }
}

/// How much work submissions held.
public struct SubmissionTimes: Sendable {
    public var count = 0
    /// Device seconds of the one that took longest, but for kernels' first launches; 0 where the device has no clock.
    public var longest = 0.0
}

private struct Weak<Object: AnyObject> {
    weak var object: Object?
}
