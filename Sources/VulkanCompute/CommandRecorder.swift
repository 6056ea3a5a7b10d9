import CVulkan

/// Records a `CommandList`. Barriers come from what each command says it reads and writes: a command waits for earlier
/// ones only where their bytes overlap and one of them writes. Not thread-safe; several recorders may work at once.
public final class CommandRecorder {
    public enum Barriers: Sendable {
        /// Where accesses conflict.
        case derived
        /// After every command; must give the same bytes, and is how a wrong declaration is found.
        case full
    }

    public let label: String
    public private(set) var dispatchCount = 0
    /// Barriers between commands so far.
    public private(set) var barrierCount = 0
    /// Leaves all barriers out. Only to show that synchronization validation notices.
    package var omitsBarriers = false

    private let device: LogicalDevice
    private let timeline: Timeline
    private let timing: ListTiming
    private let barriers: Barriers
    private let commands: CommandBuffer
    private var tracker = HazardTracker()
    /// Stage of the commands since the last barrier. Between stages there is always a barrier.
    private var stage: Stage?
    private var boundKernel: Kernel?
    private var buffers: [Buffer] = []
    private var knownBuffers: Set<ObjectIdentifier> = []
    private var kernels: [Kernel] = []
    private var knownKernels: Set<ObjectIdentifier> = []
    private var texelViews: [TexelView.Key: TexelView] = [:]
    private var writesHostReadable = false
    private var queries: TimestampQueries
    private var measured: [CommandList.MeasuredCommand] = []
    private var wholeListQuery: Int?
    private var isFinished = false

    init(label: String, on device: LogicalDevice, timeline: Timeline, timing: ListTiming, barriers: Barriers) throws {
        self.label = label
        self.device = device
        self.timeline = timeline
        self.timing = device.limits.timestampValidBits > 0 ? timing : .none
        self.barriers = barriers
        commands = try CommandBuffer(on: device)
        queries = TimestampQueries(on: device)
        try commands.begin(VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT)
        // Earlier submissions and uploads, this list's own earlier run among them.
        commands.barrier(from: [.compute, .transfer], to: [.compute, .transfer])
        if self.timing == .wholeList { wholeListQuery = try queries.start(in: commands.handle) }
    }

    /// Runs `kernel` on `groups` workgroups.
    /// - Parameters:
    ///   - label: names the dispatch in errors and timings; nil = the kernel's label.
    ///   - bindings: one for each of the kernel's storage buffers, in order.
    ///   - pushConstants: exactly the kernel's `pushConstantBytes`.
    ///   - firstY: where the y of `gl_WorkGroupID` starts: above 0, this goes on with a launch of which an earlier dispatch was
    ///     the first part. `gl_NumWorkGroups` counts those of the part.
    ///   - cost: for `KernelTiming`.
    /// - Throws: `VulkanError.recording` when an argument does not fit the kernel or the device; nothing is recorded then.
    public func dispatch(
        _ kernel: Kernel, label: String? = nil, bindings: [BufferBinding], pushConstants: UnsafeRawBufferPointer,
        firstY: Int = 0, groups: (x: Int, y: Int, z: Int), cost: DispatchCost = DispatchCost()
    ) throws {
        let label = label ?? kernel.label
        try checkArguments(kernel, label, bindings, pushConstants.count, firstY, groups)
        let views = try bindings.enumerated().map { index, binding in
            kernel.texelBindings.contains(index) ? try texelView(binding) : nil
        }
        let measured = CommandList.MeasuredCommand(
            label: label, kernel: kernel.label, cost: cost, isContinuation: firstY > 0)
        let accesses = bindings.enumerated().map { access($1, isTexels: kernel.texelBindings.contains($0)) }
        try record(.compute, measured, accesses) {
            if boundKernel !== kernel {
                vkCmdBindPipeline(commands.handle, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline.handle)
                boundKernel = kernel
            }
            pushDescriptors(bindings, views, layout: kernel.layout.handle)
            if kernel.pushConstantBytes > 0 {
                vkCmdPushConstants(
                    commands.handle, kernel.layout.handle, VK_SHADER_STAGE_COMPUTE_BIT.rawValue, 0,
                    UInt32(pushConstants.count), pushConstants.baseAddress)
            }
            let (x, y, z) = (UInt32(groups.x), UInt32(groups.y), UInt32(groups.z))
            // Synchronization validation (1.3.239) sees the hazards of this call alone, not of the other.
            if firstY == 0 {
                vkCmdDispatch(commands.handle, x, y, z)
            } else {
                vkCmdDispatchBase(commands.handle, 0, UInt32(firstY), 0, x, y, z)
            }
        }
        if knownKernels.insert(ObjectIdentifier(kernel)).inserted { kernels.append(kernel) }
        for binding in bindings { keep(binding.buffer, isWritten: binding.access != .read) }
        dispatchCount += 1
    }

    /// `dispatch` with a plain structure as push constants, laid out as the shader declares it (std430: 32-bit fields
    /// in order have no padding).
    public func dispatch<Constants: BitwiseCopyable>(
        _ kernel: Kernel, label: String? = nil, bindings: [BufferBinding], pushConstants: Constants,
        groups: (x: Int, y: Int, z: Int), cost: DispatchCost = DispatchCost()
    ) throws {
        try withUnsafeBytes(of: pushConstants) {
            try dispatch(kernel, label: label, bindings: bindings, pushConstants: $0, groups: groups, cost: cost)
        }
    }

    /// `dispatch` of a kernel without push constants.
    public func dispatch(
        _ kernel: Kernel, label: String? = nil, bindings: [BufferBinding], groups: (x: Int, y: Int, z: Int),
        cost: DispatchCost = DispatchCost()
    ) throws {
        try dispatch(
            kernel, label: label, bindings: bindings, pushConstants: UnsafeRawBufferPointer(start: nil, count: 0),
            groups: groups, cost: cost)
    }

    /// Copies `byteCount` bytes. Ranges of one buffer must not overlap.
    /// - Throws: `VulkanError.invalidRange` or `.recording`.
    public func copy(
        from source: Buffer, fromOffset sourceOffset: Int = 0, to target: Buffer, toOffset targetOffset: Int = 0,
        byteCount: Int, label: String = "copy"
    ) throws {
        let from = try source.range(sourceOffset, byteCount, "copy")
        let to = try target.range(targetOffset, byteCount, "copy")
        guard source !== target || !from.overlaps(to) else {
            throw failure(label, "copy between overlapping ranges of \(source.label)")
        }
        guard byteCount > 0 else { return }
        let accesses = [
            HazardTracker.Access(source, from, reads: true), HazardTracker.Access(target, to, writes: true),
        ]
        let measured = CommandList.MeasuredCommand(
            label: label, kernel: "copy", cost: DispatchCost(bytes: byteCount * 2))
        try record(.transfer, measured, accesses) {
            commands.copy(from: source, at: sourceOffset, to: target, at: targetOffset, byteCount: byteCount)
        }
        keep(source, isWritten: false)
        keep(target, isWritten: true)
    }

    /// Fills bytes with a repeated 32-bit value.
    /// - Parameter byteCount: nil = to the buffer's end. Like `offset`, a multiple of 4.
    /// - Throws: `VulkanError.invalidRange` or `.recording`.
    public func fill(
        _ buffer: Buffer, offset: Int = 0, byteCount: Int? = nil, value: UInt32 = 0, label: String = "fill"
    ) throws {
        let filled = try buffer.range(offset, byteCount ?? max(0, buffer.byteCount - offset), "fill")
        guard filled.lowerBound % 4 == 0, filled.count % 4 == 0 else {
            throw failure(label, "fill of bytes \(filled) of \(buffer.label), which are not multiples of 4")
        }
        guard !filled.isEmpty else { return }
        let access = HazardTracker.Access(buffer, filled, writes: true)
        let measured = CommandList.MeasuredCommand(
            label: label, kernel: "fill", cost: DispatchCost(bytes: filled.count))
        try record(.transfer, measured, [access]) {
            vkCmdFillBuffer(
                commands.handle, buffer.handle, UInt64(buffer.offset + offset), UInt64(filled.count), value)
        }
        keep(buffer, isWritten: true)
    }

    /// Ends the recording. Nothing can be recorded after.
    public func finish() throws -> CommandList {
        try checkNotFinished("finish")
        isFinished = true
        if let wholeListQuery { queries.end(wholeListQuery, in: commands.handle) }
        if writesHostReadable { commands.barrierToHost() }
        try commands.end()
        return CommandList(
            label: label, commands: commands, buffers: buffers, views: Array(texelViews.values), kernels: kernels,
            timeline: timeline, timing: timing,
            queries: queries, measured: measured, dispatchCount: dispatchCount, barrierCount: barrierCount)
    }
}

extension CommandRecorder {
    /// Places the barrier and timestamps that a command needs around it.
    private func record(
        _ newStage: Stage, _ measures: CommandList.MeasuredCommand, _ accesses: [HazardTracker.Access],
        _ command: () -> Void
    ) throws {
        try checkNotFinished(measures.label)
        let isMeasured = timing == .perDispatch
        if let stage {
            if stage != newStage || barriers == .full || isMeasured {
                placeBarrier(from: [.compute, .transfer], to: [.compute, .transfer])
            } else if accesses.contains(where: tracker.conflicts) {
                placeBarrier(from: [stage], to: [stage])
            }
        }
        stage = newStage
        for access in accesses { tracker.add(access) }

        if isMeasured {
            let query = try queries.start(in: commands.handle)
            command()
            queries.end(query, in: commands.handle)
            measured.append(measures)
        } else {
            command()
        }
    }

    private func placeBarrier(from sources: [Stage], to targets: [Stage]) {
        guard !omitsBarriers else { return }
        commands.barrier(from: sources, to: targets)
        barrierCount += 1
        tracker.clear()
    }

    /// Lists keep what they use; a buffer that the host reads needs a barrier at the list's end.
    private func keep(_ buffer: Buffer, isWritten: Bool) {
        if knownBuffers.insert(ObjectIdentifier(buffer)).inserted { buffers.append(buffer) }
        if isWritten, buffer.isHostReadable { writesHostReadable = true }
    }

    /// The view that a kernel reads a binding's texels through.
    private func texelView(_ binding: BufferBinding) throws -> TexelView {
        let key = TexelView.Key(binding, on: device.description)
        if let view = texelViews[key] { return view }
        let view = try TexelView(key, on: device)
        texelViews[key] = view
        return view
    }

    /// - Parameter views: for each binding that is a texel buffer.
    private func pushDescriptors(_ bindings: [BufferBinding], _ views: [TexelView?], layout: VkPipelineLayout) {
        guard !bindings.isEmpty else { return }
        let viewHandles = views.map { $0?.handle }
        withUnsafeTemporaryAllocation(of: VkDescriptorBufferInfo.self, capacity: bindings.count) { infos in
            withUnsafeTemporaryAllocation(of: VkWriteDescriptorSet.self, capacity: bindings.count) { writes in
                for (index, binding) in bindings.enumerated() {
                    infos.initializeElement(
                        at: index,
                        to: VkDescriptorBufferInfo(
                            buffer: binding.buffer.handle, offset: UInt64(binding.buffer.offset + binding.offset),
                            range: UInt64(binding.byteCount)))
                    var write = VkWriteDescriptorSet()
                    write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET
                    write.dstBinding = UInt32(index)
                    write.descriptorCount = 1
                    write.descriptorType =
                        views[index] == nil
                        ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER : VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER
                    write.pBufferInfo = infos.baseAddress.map { UnsafePointer($0 + index) }
                    writes.initializeElement(at: index, to: write)
                }
                viewHandles.withUnsafeBufferPointer { handles in
                    for index in bindings.indices {
                        writes[index].pTexelBufferView = handles.baseAddress.map { $0 + index }
                    }
                    device.pushDescriptorSet(
                        commands.handle, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, UInt32(bindings.count),
                        writes.baseAddress)
                }
            }
        }
    }

    /// - Parameter isTexels: then all of the view counts, as it does for the validation layers.
    private func access(_ binding: BufferBinding, isTexels: Bool) -> HazardTracker.Access {
        let byteCount =
            isTexels ? TexelView.byteCount(of: binding, on: device.description) : binding.byteCount
        return HazardTracker.Access(
            binding.buffer, binding.offset..<binding.offset + byteCount,
            reads: binding.access != .write, writes: binding.access != .read)
    }
}

// Checks of arguments.
extension CommandRecorder {
    private func failure(_ command: String, _ problem: String) -> VulkanError {
        .recording(list: label, command: command, problem: problem)
    }

    private func checkNotFinished(_ command: String) throws {
        if isFinished { throw failure(command, "the list is finished") }
    }

    private func checkArguments(
        _ kernel: Kernel, _ label: String, _ bindings: [BufferBinding], _ pushConstantBytes: Int,
        _ firstY: Int, _ groups: (x: Int, y: Int, z: Int)
    ) throws {
        guard bindings.count == kernel.storageBuffers else {
            throw failure(label, "\(bindings.count) bindings, kernel \(kernel.label) has \(kernel.storageBuffers)")
        }
        guard pushConstantBytes == kernel.pushConstantBytes else {
            throw failure(
                label,
                "\(pushConstantBytes) bytes of push constants, kernel \(kernel.label) has \(kernel.pushConstantBytes)")
        }
        let limits = device.limits
        for (index, binding) in bindings.enumerated() {
            var name: String { "binding \(index) (\(binding.buffer.label))" }
            guard binding.byteCount > 0, binding.offset >= 0,
                binding.offset <= binding.buffer.byteCount - binding.byteCount
            else {
                throw failure(
                    label,
                    "\(name) is \(binding.byteCount) bytes from \(binding.offset), the buffer has "
                        + "\(binding.buffer.byteCount)")
            }
            let isTexels = kernel.texelBindings.contains(index)
            let most = isTexels ? limits.maxTexelBufferBytes : limits.maxStorageBufferRange
            guard binding.byteCount <= most else {
                throw failure(
                    label,
                    "\(name) is \(binding.byteCount) bytes, the device binds at most \(most); bind it in windows")
            }
            let alignment =
                isTexels ? limits.minTexelBufferOffsetAlignment : limits.minStorageBufferOffsetAlignment
            guard binding.offset % alignment == 0 else {
                throw failure(
                    label, "\(name) starts at \(binding.offset), which is no multiple of \(alignment)")
            }
            guard !isTexels || binding.byteCount % TexelView.texelBytes == 0 else {
                throw failure(
                    label,
                    "\(name) is \(binding.byteCount) bytes, no whole number of texels of \(TexelView.texelBytes)")
            }
        }
        let most = limits.maxComputeWorkGroupCount
        guard (1...most.x).contains(groups.x), (1...most.y).contains(groups.y), (1...most.z).contains(groups.z),
            (0...most.y - groups.y).contains(firstY)
        else {
            throw failure(label, "\(groups) workgroups from y = \(firstY) on, the device runs 1 to \(most)")
        }
    }
}
