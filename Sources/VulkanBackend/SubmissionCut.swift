import VulkanCompute

/// How the launches of a plan are divided among submissions, none of which is likely to take longer than it may.
package struct SubmissionCut {
    /// A launch, or those of its workgroups whose second coordinate is in `y`: all that a single launch is divided by.
    package struct Part: Equatable {
        /// Of the launch, in the plan's order.
        package var index: Int
        package var y: Range<Int>
    }

    /// What a launch is in one run.
    package struct Launch {
        package var cost: DispatchCost
        /// Workgroups along the second dimension.
        package var groupsY: Int
        /// Whether the driver compiles the kernel when it comes to this. Such a launch is a submission of its own, so that the
        /// time it takes can be told apart.
        package var compiles: Bool

        package init(cost: DispatchCost, groupsY: Int, compiles: Bool = false) {
            self.cost = cost
            self.groupsY = groupsY
            self.compiles = compiles
        }

        package func cost(of y: Range<Int>) -> DispatchCost {
            func share(_ all: Int) -> Int {
                // As differences, so that those of all parts add up to the whole.
                func until(_ end: Int) -> Int {
                    end == groupsY ? all : Int(Double(all) * Double(end) / Double(groupsY))
                }
                return until(y.upperBound) - until(y.lowerBound)
            }
            return DispatchCost(bytes: share(cost.bytes), flops: share(cost.flops))
        }
    }

    /// By submission; none is empty unless the plan is.
    package private(set) var submissions: [[Part]] = []

    /// - Parameter budget: the most seconds that a submission should take; a launch that can't be divided may exceed it.
    package init(_ launches: [Launch], pace: WorkPace, budget: Double) {
        var current: [Part] = []
        var taken = 0.0
        for (index, launch) in launches.enumerated() {
            let wanted = (pace.seconds(launch.cost) / budget).rounded(.up)
            let parts = launch.compiles ? 1 : Int(min(Double(launch.groupsY), max(1, wanted)))
            for part in 0..<parts {
                let y = part * launch.groupsY / parts..<(part + 1) * launch.groupsY / parts
                let seconds = pace.seconds(launch.cost(of: y))
                let isApart = launch.compiles || current.last.map { launches[$0.index].compiles } ?? false
                if isApart || taken + seconds > budget, !current.isEmpty {
                    submissions.append(current)
                    current = []
                    taken = 0
                }
                current.append(Part(index: index, y: y))
                taken += seconds
            }
        }
        if !current.isEmpty || submissions.isEmpty { submissions.append(current) }
    }

    /// Which submissions are of a kernel that is compiled then.
    package func compilations(_ launches: [Launch]) -> [Bool] {
        submissions.map { parts in parts.count == 1 && launches[parts[0].index].compiles }
    }

    /// What each submission costs in a run.
    package func costs(_ launches: [Launch]) -> [DispatchCost] {
        submissions.map { parts in
            parts.reduce(into: DispatchCost()) { sum, part in
                let cost = launches[part.index].cost(of: part.y)
                sum.bytes += cost.bytes
                sum.flops += cost.flops
            }
        }
    }

    /// Whether it will do for another run, so that its commands need not be recorded again: no submission is likely to take twice
    /// the budget that could be divided, and there are not many more of them than are needed.
    package func suits(_ launches: [Launch], pace: WorkPace, budget: Double) -> Bool {
        var total = 0.0
        for parts in submissions {
            let seconds = parts.reduce(0) { $0 + pace.seconds(launches[$1.index].cost(of: $1.y)) }
            let isDivisible = parts.count > 1 || parts.contains { $0.y.count > 1 }
            if isDivisible, seconds > 2 * budget { return false }
            total += seconds
        }
        // Two that follow each other take more than the budget together, or they would be one, unless something is compiled.
        let apart = 2 * launches.count { $0.compiles }
        return total <= budget
            ? submissions.count <= 1 + apart : Double(submissions.count - apart) <= 2 * total / budget + 1
    }
}
