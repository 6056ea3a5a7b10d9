import Inference
import VulkanCompute

/// A graph as recorded commands, in as many lists as it takes for none to occupy the device for long. They are submitted one
/// right after the other; each starts with a barrier against all before it.
///
/// A list's timestamps are those of its last run, so a run that is still in flight keeps its lists; others are recorded
/// when none are free.
final class VulkanPlan: Plan {
    private final class Recorded {
        var cut: SubmissionCut
        var lists: [CommandList]
        /// The run that has not been accounted for yet.
        var pending: Pending?

        init(_ cut: SubmissionCut, _ lists: [CommandList]) {
            self.cut = cut
            self.lists = lists
        }
    }

    private struct Pending {
        var execution: UInt64
        var phase: Phase
        var costs: [DispatchCost]
        var compilations: [Bool]
    }

    /// A run that is done.
    struct Run {
        var phase: Phase
        /// The submissions, in order.
        var lists: [CommandList]
        /// What each cost.
        var costs: [DispatchCost]
        /// Whether it was a kernel's first launch, in which the driver compiled it.
        var compilations: [Bool]
    }

    let name: String
    private let dispatches: [Dispatch]
    /// What a run adds to numbers that the host follows.
    private let advances: [(counter: VulkanTensor, amount: Int)]
    private let library: KernelLibrary
    private let record: ([Dispatch]) throws -> CommandList
    private var hasRun = false
    private var recordings: [Recorded] = []

    /// - Parameters:
    ///   - advances: see `VulkanTensor.followed`.
    ///   - record: makes a list of the dispatches.
    init(
        name: String, dispatches: [Dispatch], advances: [(counter: VulkanTensor, amount: Int)],
        library: KernelLibrary, pace: WorkPace, budget: Double, record: @escaping ([Dispatch]) throws -> CommandList
    ) throws {
        self.name = name
        self.dispatches = dispatches
        self.advances = advances
        self.library = library
        self.record = record
        recordings = [try makeRecording(SubmissionCut(launches, pace: pace, budget: budget))]
    }

    /// The launches as the next run has them.
    private var launches: [SubmissionCut.Launch] {
        let compilations = hasRun ? [] : library.compilations(in: dispatches)
        return dispatches.enumerated().map { index, dispatch in
            var cost = dispatch.cost
            if let cached = dispatch.cached {
                cost.bytes += cached.rows.followed * cached.costOfRow.bytes
                cost.flops += cached.rows.followed * cached.costOfRow.flops
            }
            return SubmissionCut.Launch(
                cost: cost, groupsY: dispatch.groups.y, compiles: compilations.contains(index))
        }
    }

    private func makeRecording(_ cut: SubmissionCut) throws -> Recorded {
        Recorded(cut, try record(cut))
    }

    private func record(_ cut: SubmissionCut) throws -> [CommandList] {
        try cut.submissions.map { parts in try record(parts.map { dispatches[$0.index].part($0.y) }) }
    }

    /// Submits lists that no run in flight uses.
    ///
    /// - Parameters:
    ///   - updates: what is written before the first; nothing is where that can't be submitted.
    ///   - budget: the most seconds that a submission should take.
    /// - Returns: the last one, and those in which the driver compiles a kernel.
    func submit(
        to device: Device, after updates: [BufferUpdate], phase: Phase, pace: WorkPace, budget: Double
    ) throws -> (last: UInt64, compilations: [UInt64]) {
        let launches = launches
        let recorded: Recorded
        if let free = recordings.first(where: { $0.pending == nil }) {
            recorded = free
            if !free.cut.suits(launches, pace: pace, budget: budget) {
                let cut = SubmissionCut(launches, pace: pace, budget: budget)
                recorded.lists = try record(cut)
                recorded.cut = cut
            }
        } else {
            recorded = try makeRecording(SubmissionCut(launches, pace: pace, budget: budget))
            recordings.append(recorded)
        }
        var pending = Pending(
            execution: 0, phase: phase, costs: recorded.cut.costs(launches),
            compilations: recorded.cut.compilations(launches))
        var compilations: [UInt64] = []
        for (index, list) in recorded.lists.enumerated() {
            let compiles = pending.compilations[index]
            pending.execution = try device.submit(list, after: index == 0 ? updates : [])
            // Also where the next one fails, these are in use.
            recorded.pending = pending
            if compiles { compilations.append(pending.execution) }
        }
        if !hasRun { library.noteLaunches(of: dispatches) }
        hasRun = true
        for (counter, amount) in advances { counter.followed += amount }
        return (pending.execution, compilations)
    }

    /// Accounts for the runs that are done.
    func collect(from device: Device, account: (Run) throws -> Void) throws {
        for recorded in recordings {
            if let pending = recorded.pending, try device.isComplete(pending.execution) {
                recorded.pending = nil
                try account(
                    Run(
                        phase: pending.phase, lists: recorded.lists, costs: pending.costs,
                        compilations: pending.compilations))
            }
        }
    }
}
