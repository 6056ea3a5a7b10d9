import Testing
import VulkanBackend
import VulkanCompute

/// How plans are divided among submissions, on devices that are only numbers.
struct SubmissionCutTests {
    /// A device whose speed is known; launches take at least 5 us.
    struct Simulated {
        var flopsPerSecond: Double
        var bytesPerSecond: Double

        func seconds(_ cost: DispatchCost) -> Double {
            max(Double(cost.flops) / flopsPerSecond, Double(cost.bytes) / bytesPerSecond) + 5e-6
        }

        /// What each submission of a run takes.
        func run(_ cut: SubmissionCut, _ launches: [SubmissionCut.Launch]) -> [Double] {
            cut.submissions.map { $0.reduce(0) { $0 + seconds(launches[$1.index].cost(of: $1.y)) } }
        }
    }

    static let devices = [
        // An old integrated GPU, a newer one, two cores of a CPU, a large GPU.
        Simulated(flopsPerSecond: 15e9, bytesPerSecond: 4e9), Simulated(flopsPerSecond: 300e9, bytesPerSecond: 40e9),
        Simulated(flopsPerSecond: 35e9, bytesPerSecond: 10e9), Simulated(flopsPerSecond: 100e12, bytesPerSecond: 2e12),
    ]

    /// 28 layers with products and what is between them, and an LM head for the last token.
    private static func prefill(tokens: Int) -> [SubmissionCut.Launch] {
        let (hidden, gates, vocabulary) = (1024, 6144, 151_936)
        func product(_ rows: Int, _ tokens: Int) -> SubmissionCut.Launch {
            SubmissionCut.Launch(
                cost: DispatchCost(bytes: 2 * rows * hidden, flops: 2 * rows * hidden * tokens),
                groupsY: (tokens + 63) / 64)
        }
        let small = SubmissionCut.Launch(cost: DispatchCost(bytes: 8 * hidden * tokens), groupsY: 1)
        let layer = [small, product(4096, tokens), small, product(gates, tokens), small, product(gates / 2, tokens)]
        return (0..<28).flatMap { _ in layer } + [product(vocabulary, 1)]
    }

    @Test("Parts are the whole, in its order", arguments: [1e-9, 1e-3, 0.05, 0.3, 1e9])
    func whole(budget: Double) {
        let launches = Self.prefill(tokens: 500)
        let cut = SubmissionCut(launches, pace: WorkPace(isDiscrete: false), budget: budget)
        let parts = cut.submissions.flatMap(\.self)
        #expect(parts.map(\.index) == parts.map(\.index).sorted())
        for (index, launch) in launches.enumerated() {
            let own = parts.filter { $0.index == index }
            #expect(own.flatMap(\.y) == Array(0..<launch.groupsY))
            #expect(own.reduce(0) { $0 + launch.cost(of: $1.y).flops } == launch.cost.flops)
            #expect(own.reduce(0) { $0 + launch.cost(of: $1.y).bytes } == launch.cost.bytes)
        }
        #expect(cut.costs(launches).reduce(0) { $0 + $1.flops } == launches.reduce(0) { $0 + $1.cost.flops })
        #expect(cut.suits(launches, pace: WorkPace(isDiscrete: false), budget: budget))
    }

    @Test("The first cut is short on a slow device, and what is learnt follows the device", arguments: 0..<4)
    func learnt(device index: Int) {
        let (device, budget) = (Self.devices[index], 0.1)
        var pace = WorkPace(isDiscrete: index == 3)
        let plans = [Self.prefill(tokens: 512), Self.prefill(tokens: 1), Self.prefill(tokens: 70)]
        for round in 0..<6 {
            for launches in plans {
                let cut = SubmissionCut(launches, pace: pace, budget: budget)
                let seconds = device.run(cut, launches)
                let (total, longest) = (seconds.reduce(0, +), seconds.max() ?? 0)
                // Drivers end what takes two seconds.
                #expect(longest < 0.5, "\(seconds.count) submissions of up to \(longest) s")
                if round >= 4 {
                    #expect(longest < 1.5 * budget)
                    #expect(Double(seconds.count) <= 4 * total / budget + 1)
                    if total < budget / 4 { #expect(seconds.count == 1) }
                }
                pace.learn(zip(cut.costs(launches), seconds).map { ($0, $1) }, budget: budget)
            }
        }
    }

    @Test("A clock that is wrong once doesn't undo what was learnt", arguments: [0, 1e9, Double.infinity])
    func wrongClock(seconds: Double) {
        let launches = Self.prefill(tokens: 512)
        let device = Self.devices[2]
        var pace = WorkPace(isDiscrete: false)
        for seconds in [nil, nil, nil, seconds, nil, nil, nil] {
            let cut = SubmissionCut(launches, pace: pace, budget: 0.1)
            let measured = device.run(cut, launches)
            pace.learn(cut.costs(launches).enumerated().map { ($1, seconds ?? measured[$0]) }, budget: 0.1)
        }
        let cut = SubmissionCut(launches, pace: pace, budget: 0.1)
        #expect((device.run(cut, launches).max() ?? 0) < 0.15)
        #expect(Double(cut.submissions.count) < 4 * device.run(cut, launches).reduce(0, +) / 0.1)
    }

    @Test("Commands are recorded again when they hold too much or too little, not for less")
    func suits() {
        let launches = Self.prefill(tokens: 512)
        let pace = WorkPace(isDiscrete: false)
        let seconds = launches.reduce(0) { $0 + pace.seconds($1.cost) }
        let inTen = SubmissionCut(launches, pace: pace, budget: seconds / 10)
        #expect(inTen.suits(launches, pace: pace, budget: seconds / 11))
        #expect(inTen.suits(launches, pace: pace, budget: seconds / 9))
        #expect(!inTen.suits(launches, pace: pace, budget: seconds / 30))
        #expect(!inTen.suits(launches, pace: pace, budget: seconds / 3))
        #expect(!inTen.suits(launches, pace: pace, budget: 2 * seconds))
    }
}
