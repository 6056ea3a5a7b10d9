import CVulkan
import Dispatch
import Foundation
import Synchronization

/// Choices at a device's making.
public struct DeviceOptions: Sendable {
    /// Where compiled pipelines are kept between runs; nil = nowhere.
    public var pipelineCacheDirectory: URL?
    /// Identifies the program's set of shaders: another hash, another cache file.
    public var shaderHash = ""
    /// Most bytes of `.device` memory to reserve; nil = what the device has.
    public var memoryLimit: Int?
    /// Takes the way through staging memory also where the host could write directly.
    public var forceStaging = false
    /// Bytes of each of the staging ring's three chunks.
    public var stagingChunkBytes = 16 << 20

    public init() {}
}

/// A Vulkan device with one queue: memory, kernels, recording, submission. Thread-safe.
///
/// Work runs in the order of submission, and its effects are seen in that order: lists, updates and uploads are one
/// stream. Nothing but `wait`, `download`, and uploads to a buffer that is in use wait for the device.
public final class Device: @unchecked Sendable {
    public let description: DeviceDescription
    /// What the validation layers reported; nil without validation.
    public var validation: ValidationLog? { logical.instance.validation }

    let logical: LogicalDevice
    let pool: MemoryPool
    let queue: SubmissionQueue
    let transfers: Transfers
    private let pipelineCache: PipelineCache

    /// - Parameter description: from `instance.chooseDevice(index:)`.
    /// - Throws: `VulkanError.deviceLacks`, or a failing call.
    public init(_ description: DeviceDescription, of instance: Instance, options: DeviceOptions = .init()) throws {
        self.description = description
        logical = try LogicalDevice(description, of: instance)
        pool = try MemoryPool(logical, limit: options.memoryLimit)
        queue = try SubmissionQueue(on: logical)
        transfers = Transfers(
            pool: pool, queue: queue, forceStaging: options.forceStaging, chunkBytes: options.stagingChunkBytes)
        pipelineCache = try PipelineCache(
            on: logical, directory: options.pipelineCacheDirectory, shaderHash: options.shaderHash)
    }

    deinit {
        // What submissions still use is about to go. A lost device cannot be waited for and needs no wait.
        _ = vkDeviceWaitIdle(logical.handle)
    }

    // MARK: Memory

    /// Memory for kernels. Freed when the last reference goes and the GPU has done with it.
    /// - Parameter label: what it is for, in error messages.
    /// - Throws: `VulkanError.outOfMemory`, or `.invalidRange` for a size that is not positive.
    public func makeBuffer(label: String, byteCount: Int, kind: MemoryKind = .device) throws -> Buffer {
        // Buffers let go of while the GPU used them come back here.
        try queue.retire()
        return try pool.makeBuffer(label: label, byteCount: byteCount, kind: kind)
    }

    /// Memory of one kind that buffers take.
    public func memoryStatistics(_ kind: MemoryKind = .device) -> MemoryStatistics {
        pool.statistics(kind)
    }

    /// Bytes that new buffers of one kind can take, as far as the driver tells; not in one piece.
    public func availableMemory(_ kind: MemoryKind = .device) -> Int {
        pool.available(kind)
    }

    // MARK: Kernels

    /// Makes pipelines, on all processors at once, and keeps them in the pipeline cache.
    /// - Parameter onEach: called as each is made, on any thread.
    /// - Returns: kernels in the order of `descriptions`.
    /// - Throws: `VulkanError.kernel` for the first that cannot be made.
    public func makeKernels(
        _ descriptions: [KernelDescription], onEach: @Sendable () -> Void = {}
    ) throws -> [Kernel] {
        let results = Mutex([Result<Kernel, any Error>?](repeating: nil, count: descriptions.count))
        DispatchQueue.concurrentPerform(iterations: descriptions.count) { index in
            let result = Result { try Kernel(descriptions[index], on: logical, cache: pipelineCache.handle) }
            results.withLock { $0[index] = result }
            onEach()
        }
        let kernels = try results.withLock { try $0.compactMap { try $0?.get() } }
        pipelineCache.save()
        return kernels
    }

    // MARK: Commands

    /// Starts a list of commands.
    public func makeRecorder(
        label: String, timing: ListTiming = .none, barriers: CommandRecorder.Barriers = .derived
    ) throws -> CommandRecorder {
        try CommandRecorder(label: label, on: logical, timeline: queue.timeline, timing: timing, barriers: barriers)
    }

    /// Queues a list after all that was queued before. Never waits for the device.
    /// - Parameter updates: what is written before the list runs; nothing is where this throws.
    /// - Returns: the value for `wait` and `isComplete`.
    /// - Throws: `VulkanError.deviceLost`, a failing call, or `.invalidRange` for an update.
    @discardableResult
    public func submit(_ list: CommandList, after updates: [BufferUpdate] = []) throws -> UInt64 {
        try queue.submit(list, after: updates.checked())
    }

    /// Waits for a submission, and all before it.
    public func wait(_ value: UInt64) throws {
        try queue.wait(value)
    }

    /// Waits for a submission, and all before it, but not for longer than `seconds`.
    /// - Returns: whether it has completed.
    public func wait(_ value: UInt64, atMost seconds: Double) throws -> Bool {
        try queue.timeline.wait(value, atMost: seconds)
    }

    /// Whether a submission, and all before it, has completed.
    public func isComplete(_ value: UInt64) throws -> Bool {
        try queue.isComplete(value)
    }
}
