import CVulkan
import Foundation
import Synchronization

/// Hands work to the device's queue in order, and keeps what it uses until it has completed. Thread-safe.
///
/// Every piece of work starts with a barrier against all before it, so the order of submission is the order in which
/// effects are seen: one stream.
final class SubmissionQueue: @unchecked Sendable {
    let timeline: Timeline
    private let device: LogicalDevice

    private let lock = NSLock()
    // Guarded by `lock`, as is the VkQueue:
    private var lastValue: UInt64 = 0
    private var inFlight: [InFlight] = []
    private var updates: [BufferUpdate] = []
    private var spare: [CommandBuffer] = []

    private struct InFlight {
        let value: UInt64
        let list: CommandList?
        let transient: CommandBuffer?
        let buffers: [Buffer]
    }

    init(on device: LogicalDevice) throws {
        self.device = device
        timeline = try Timeline(on: device)
    }

    /// Queues a list, after the updates that wait and then those given. Never waits for the device.
    ///
    /// - Throws: and the updates given are forgotten; they belong to this list's run.
    func submit(_ list: CommandList, after given: [BufferUpdate] = []) throws -> UInt64 {
        try retiring {
            let waiting = updates
            updates += given
            let value: UInt64
            do {
                value = try flush(before: list, using: []) { _ in }
            } catch {
                updates = waiting
                throw error
            }
            list.lastSubmission.store(value, ordering: .releasing)
            for buffer in list.buffers { buffer.lastUse.store(value, ordering: .releasing) }
            return value
        }
    }

    /// Queues commands recorded by `record`, after the updates that wait; `buffers` are those it uses.
    func submit(using buffers: [Buffer], _ record: (CommandBuffer) -> Void) throws -> UInt64 {
        try retiring { try flush(before: nil, using: buffers, record: record) }
    }

    /// Queues writes, in order with submissions.
    func enqueueUpdates(_ added: [BufferUpdate]) {
        lock.withLock { updates += added }
    }

    /// Waits until no submission so far uses `buffer`.
    func waitForUse(of buffer: Buffer) throws {
        let pending = lock.withLock { updates.contains { $0.buffer === buffer } }
        if pending { _ = try submit(using: []) { _ in } }
        let value = buffer.lastUse.load(ordering: .acquiring)
        if value > 0 { try wait(value) }
    }

    func wait(_ value: UInt64) throws {
        let last = lock.withLock { lastValue }
        guard value <= last else {
            throw VulkanError.invalidRange(label: "wait", problem: "submission \(value), the last one is \(last)")
        }
        if value > (try timeline.completed()) { try timeline.wait(value) }
        try retiring {}
    }

    /// Lets go of what completed submissions used.
    func retire() throws {
        try retiring {}
    }

    func isComplete(_ value: UInt64) throws -> Bool {
        try timeline.completed() >= value
    }

    /// Runs `body` under the lock, then lets go, outside of it, of what has completed: releasing buffers takes the
    /// memory pool's lock and may call the driver.
    private func retiring<Result>(_ body: () throws -> Result) throws -> Result {
        var retired: [InFlight] = []
        defer { withExtendedLifetime(retired) {} }
        return try lock.withLock {
            let result = try body()
            let completed = try timeline.completed()
            let first = inFlight.firstIndex { $0.value > completed } ?? inFlight.count
            if first > 0 {
                retired = Array(inFlight[..<first])
                inFlight.removeFirst(first)
                spare += retired.compactMap(\.transient)
            }
            return result
        }
    }

    /// One submission: waiting updates, then `record`'s commands, then `list` (without one or the other).
    private func flush(
        before list: CommandList?, using buffers: [Buffer], record: (CommandBuffer) -> Void
    ) throws -> UInt64 {
        let transient = updates.isEmpty && list != nil ? nil : try recordTransient(record)
        let value = lastValue + 1
        try submit([transient?.handle, list?.commands.handle].compactMap { $0 }, signal: value)
        lastValue = value
        let used = buffers + updates.map(\.buffer)
        for buffer in used { buffer.lastUse.store(value, ordering: .releasing) }
        updates.removeAll(keepingCapacity: true)
        inFlight.append(InFlight(value: value, list: list, transient: transient, buffers: used))
        return value
    }

    private func recordTransient(_ record: (CommandBuffer) -> Void) throws -> CommandBuffer {
        let commands = try spare.popLast() ?? CommandBuffer(on: device)
        try commands.begin(VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT)
        commands.barrier(from: [.compute, .transfer], to: [.transfer])
        var tracker = HazardTracker()
        for update in updates {
            let range = update.offset..<update.offset + update.bytes.count
            let access = HazardTracker.Access(update.buffer, range, writes: true)
            if tracker.conflicts(access) {
                commands.barrier(from: [.transfer], to: [.transfer])
                tracker.clear()
            }
            tracker.add(access)
            update.bytes.withUnsafeBytes {
                vkCmdUpdateBuffer(
                    commands.handle, update.buffer.handle, UInt64(update.buffer.offset + update.offset),
                    UInt64($0.count), $0.baseAddress)
            }
        }
        if !updates.isEmpty { commands.barrier(from: [.transfer], to: [.transfer]) }
        record(commands)
        commands.barrierToHost()
        try commands.end()
        return commands
    }

    private func submit(_ commands: [VkCommandBuffer], signal value: UInt64) throws {
        try withScratch { scratch in
            var values = VkTimelineSemaphoreSubmitInfo()
            values.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO
            values.signalSemaphoreValueCount = 1
            values.pSignalSemaphoreValues = scratch.array([value])
            var info = VkSubmitInfo()
            info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO
            info.pNext = UnsafeRawPointer(scratch.pointer(to: values))
            info.commandBufferCount = UInt32(commands.count)
            info.pCommandBuffers = scratch.array(commands.map(Optional.some))
            info.signalSemaphoreCount = 1
            info.pSignalSemaphores = scratch.array([Optional(timeline.handle)])
            try check(vkQueueSubmit(device.queue, 1, &info, nil), "vkQueueSubmit")
        }
    }
}
