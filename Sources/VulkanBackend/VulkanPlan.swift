import Inference
import VulkanCompute

/// A graph as recorded commands.
///
/// A list's timestamps are those of its last run, so a run that is still in flight keeps its list; another is recorded
/// when none is free.
final class VulkanPlan: Plan {
    private final class Recorded {
        let list: CommandList
        /// The run that has not been accounted for yet.
        var pending: (execution: UInt64, phase: Phase)?

        init(_ list: CommandList) {
            self.list = list
        }
    }

    let name: String
    private let dispatches: [Dispatch]
    private let record: ([Dispatch]) throws -> CommandList
    private var lists: [Recorded] = []

    /// - Parameter record: makes a list of the dispatches.
    init(name: String, dispatches: [Dispatch], record: @escaping ([Dispatch]) throws -> CommandList) throws {
        self.name = name
        self.dispatches = dispatches
        self.record = record
        lists = [Recorded(try record(dispatches))]
    }

    /// Submits a list that no run in flight uses.
    func submit(to device: Device, phase: Phase, account: (CommandList, Phase) throws -> Void) throws -> UInt64 {
        try collect(from: device, account: account)
        let recorded: Recorded
        if let free = lists.first(where: { $0.pending == nil }) {
            recorded = free
        } else {
            recorded = Recorded(try record(dispatches))
            lists.append(recorded)
        }
        let value = try device.submit(recorded.list)
        recorded.pending = (value, phase)
        return value
    }

    /// Accounts for the runs that are done.
    func collect(from device: Device, account: (CommandList, Phase) throws -> Void) throws {
        for recorded in lists {
            if let pending = recorded.pending, try device.isComplete(pending.execution) {
                recorded.pending = nil
                try account(recorded.list, pending.phase)
            }
        }
    }
}
