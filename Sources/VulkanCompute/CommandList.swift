import CVulkan
import Synchronization

/// Recorded commands, to submit as often as wanted, also again before an earlier submission has completed. Holds
/// the buffers and kernels it uses. Safe to share between threads.
public final class CommandList: @unchecked Sendable {
    public let label: String
    public let dispatchCount: Int
    /// Barriers between commands, without those at the list's start and end.
    public let barrierCount: Int

    let commands: CommandBuffer
    let buffers: [Buffer]
    private let views: [TexelView]
    /// Timeline value of the latest submission; 0 before the first.
    let lastSubmission = Atomic<UInt64>(0)
    private let kernels: [Kernel]
    private let timeline: Timeline
    private let timing: ListTiming
    private let queries: TimestampQueries
    private let measured: [MeasuredCommand]

    struct MeasuredCommand {
        let label: String
        let kernel: String
        let cost: DispatchCost
        /// See `KernelTiming`.
        var isContinuation = false
    }

    init(
        label: String, commands: CommandBuffer, buffers: [Buffer], views: [TexelView], kernels: [Kernel],
        timeline: Timeline, timing: ListTiming, queries: TimestampQueries, measured: [MeasuredCommand],
        dispatchCount: Int, barrierCount: Int
    ) {
        self.label = label
        self.commands = commands
        self.buffers = buffers
        self.views = views
        self.kernels = kernels
        self.timeline = timeline
        self.timing = timing
        self.queries = queries
        self.measured = measured
        self.dispatchCount = dispatchCount
        self.barrierCount = barrierCount
    }

    /// Device time of the latest submission in seconds: from the completion of all earlier work to its own. Nil
    /// without timing or before that submission has completed; of several submissions only the latest is kept.
    public func lastElapsedSeconds() throws -> Double? {
        guard let seconds = try lastSeconds() else { return nil }
        return seconds.reduce(0, +)
    }

    /// The commands of the latest submission with their times, in order; nil unless recorded with `.perDispatch`, or
    /// before that submission has completed.
    public func lastKernelTimings() throws -> [KernelTiming]? {
        guard timing == .perDispatch, let seconds = try lastSeconds() else { return nil }
        return zip(measured, seconds).map {
            KernelTiming(
                label: $0.label, kernel: $0.kernel, seconds: $1, bytes: $0.cost.bytes, flops: $0.cost.flops,
                isContinuation: $0.isContinuation)
        }
    }

    private func lastSeconds() throws -> [Double]? {
        let value = lastSubmission.load(ordering: .acquiring)
        guard timing != .none, value > 0, try timeline.completed() >= value else { return nil }
        return try queries.seconds()
    }
}
