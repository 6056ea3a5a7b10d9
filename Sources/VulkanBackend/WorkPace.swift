import Foundation
import VulkanCompute

/// How long a device takes for work, learnt from how long its submissions took: what tells how much one of them may hold.
///
/// Drivers end what runs too long as one submission, after two seconds where a GPU also draws the screen, and the device is
/// lost then. So submissions are made to take some 100 ms, which leaves estimates room to be wrong.
package struct WorkPace {
    /// The most seconds that one submission is to take.
    package static let budget = 0.1
    /// Of a launch, whatever it does.
    private static let secondsPerLaunch = 10e-6
    /// The most that one run changes an estimate by: a clock may be wrong once.
    private static let steps = 1.0 / 16...16

    package private(set) var secondsPerFlop: Double
    package private(set) var secondsPerByte: Double

    /// What is assumed of a device until it has been measured: that it is slow.
    ///
    /// - Parameter isDiscrete: a GPU with memory of its own. Others do 20 * 10^9 operations and move 5 * 10^9 bytes a second,
    ///   which small ones reach; these are taken to be twenty times as fast.
    package init(isDiscrete: Bool) {
        secondsPerFlop = 1 / (isDiscrete ? 400e9 : 20e9)
        secondsPerByte = 1 / (isDiscrete ? 100e9 : 5e9)
    }

    /// The seconds that a launch is likely to take.
    package func seconds(_ cost: DispatchCost) -> Double {
        Double(cost.flops) * secondsPerFlop + Double(cost.bytes) * secondsPerByte + Self.secondsPerLaunch
    }

    /// Corrects the estimates by a run.
    ///
    /// - Parameters:
    ///   - submissions: of the run, each with what all its launches cost and the seconds it took.
    ///   - budget: those that took longer say more than the others do.
    package mutating func learn(_ submissions: [(cost: DispatchCost, seconds: Double)], budget: Double) {
        func computing(_ cost: DispatchCost) -> Double { Double(cost.flops) * secondsPerFlop }
        func moving(_ cost: DispatchCost) -> Double { Double(cost.bytes) * secondsPerByte }
        func ratio(_ seconds: Double, _ predicted: Double) -> Double {
            predicted > 0 && seconds.isFinite ? seconds / predicted : 1
        }
        let total = submissions.reduce(0) { $0 + $1.seconds }
        guard total > 0 else { return }
        let (computed, moved) = (
            submissions.reduce(0) { $0 + computing($1.cost) }, submissions.reduce(0) { $0 + moving($1.cost) }
        )
        let slowest = submissions.filter { $0.seconds > budget }
            .map { ratio($0.seconds, computing($0.cost) + moving($0.cost)) }.max()
        let wrong = max(ratio(total, computed + moved), slowest ?? 0)
        let step = min(max(wrong, Self.steps.lowerBound), Self.steps.upperBound)
        // A run that mostly computes tells little of memory, and the other way round.
        guard computed + moved > 0 else { return }
        secondsPerFlop *= pow(step, computed / (computed + moved))
        secondsPerByte *= pow(step, moved / (computed + moved))
    }
}
