import Inference
import Synchronization
import Testing
import VulkanBackend

/// Plans in one submission and in many, on the device.
@Suite(.serialized)
struct SubmissionTests {
    private struct Setup {
        let backend: VulkanBackend
        let plan: any Plan
        let output: any StoredTensor
        let tokens = 200

        /// A chain of products, each reading what the one before it wrote.
        ///
        /// - Parameter seconds: the most that a submission is to take.
        init(seconds: Double?, loadsByLane: Bool? = nil, profiles: Bool = false) throws {
            var options = VulkanBackendOptions()
            options.submissionSeconds = seconds
            options.loadsByLane = loadsByLane
            options.profiles = profiles
            let backend = VulkanBackend(try TestDevice.device(), options: options)
            func tensor(_ name: String, _ rows: Int, seed: UInt32) throws -> any StoredTensor {
                try backend.makeRandomTensor(
                    name, TensorShape(rows: rows, columns: 256), .f32, seed: seed, scale: 0.1)
            }
            let names = (0..<8).map { "w\($0)" }
            let weights = try names.enumerated().map { try tensor($1, 256, seed: UInt32($0 + 2)) }
            let (input, output) = (try tensor("x", tokens, seed: 1), try tensor("y", tokens, seed: 1))
            var graph = Graph(name: "chain")
            var last = graph.boundView(input)
            for (index, weight) in weights.enumerated() {
                let next =
                    index == weights.count - 1
                    ? graph.boundView(output)
                    : graph.scratch("scratch", TensorShape(rows: tokens, columns: 256))
                graph.add(
                    .linear(
                        Linear(
                            input: last, weight: graph.boundView(weight).tensor, activation: .gelu, output: next)))
                last = next
            }
            plan = try backend.compile(graph)
            self.backend = backend
            self.output = output
            // Once, as kernels may be compiled where they are launched first.
            _ = try run()
            try backend.resetTimings()
        }

        /// How many submissions a run takes, and its seconds.
        func run() throws -> (submissions: SubmissionTimes, seconds: Double) {
            try backend.resetTimings()
            try backend.wait(backend.execute(plan, inputs: [], phase: .receiverPrefill))
            return (try backend.submissions(), try backend.seconds(in: .receiverPrefill))
        }
    }

    @Test("A plan in many submissions gives the bytes that it gives in one", arguments: [nil, false])
    func bytes(_ loadsByLane: Bool?) throws {
        let whole = try Setup(seconds: 1e9, loadsByLane: loadsByLane)
        #expect(try whole.run().submissions.count == 1)
        let divided = try Setup(seconds: 1e-9, loadsByLane: loadsByLane)
        let run = try divided.run()
        // Products themselves are divided too.
        #expect(run.submissions.count > 8)
        #expect(run.submissions.longest > 0 && run.submissions.longest < run.seconds)
        #expect(try divided.backend.read(divided.output) == whole.backend.read(whole.output))
        // Without a wait between runs, which then need commands of their own.
        for _ in 0..<3 { try divided.backend.execute(divided.plan, inputs: [], phase: .receiverPrefill) }
        #expect(try divided.backend.read(divided.output) == whole.backend.read(whole.output))
        #expect(try divided.backend.submissions().count == 4 * run.submissions.count)
        try TestDevice.expectNoMessages()
    }

    @Test("Profiles are the same in many submissions")
    func profiles() throws {
        let rows = try [1e9, 1e-9].map { seconds in
            let setup = try Setup(seconds: seconds, profiles: true)
            let run = try setup.run()
            let rows = try setup.backend.kernelProfile()
            #expect(abs(rows.reduce(0) { $0 + $1.seconds } - run.seconds) < 1e-6)
            return rows.map { "\($0.label), \($0.calls) calls, \($0.bytes) bytes, \($0.flops) operations" }
        }
        #expect(rows[0] == rows[1])
        try TestDevice.expectNoMessages()
    }

    /// Whatever the machine does besides: as many as the time that they took themselves asks for.
    @Test("How many submissions a plan takes follows from what was measured")
    func learnt() throws {
        let whole = try Setup(seconds: 1e9)
        _ = try whole.run()
        let seconds = try (0..<3).map { _ in try whole.run().seconds }.min() ?? 0
        let divided = try Setup(seconds: seconds / 4)
        let runs = try (0..<7).map { _ in try divided.run() }
        let slowest = runs.map(\.seconds).max() ?? 0
        #expect(runs[6].submissions.count >= 3)
        #expect(Double(runs[6].submissions.count) <= 4 * max(slowest, seconds) / (seconds / 4) + 1)
        // A slow device was assumed; where one submission will do, that is found out.
        let ample = try Setup(seconds: max(100 * seconds, 0.5))
        for _ in 0..<6 { _ = try ample.run() }
        #expect(try ample.run().submissions.count == 1)
        try TestDevice.expectNoMessages()
    }

    /// Drivers of CPUs compile a kernel when it is launched first, all others before.
    @Test("Kernels are counted as they become ready, and their first launches belong to no phase")
    func compilations() throws {
        let device = try TestDevice.device()
        let backend = VulkanBackend(device)
        let told = Mutex<[[Int]]>([])
        backend.kernelObserver = { ready, wanted in told.withLock { $0.append([ready, wanted]) } }
        let input = try backend.makeRandomTensor("x", TensorShape(rows: 3, columns: 64), .f32, seed: 1, scale: 1)
        let output = try backend.makeTensor("y", TensorShape(rows: 3, columns: 64), .f32, placement: .device)
        var graph = Graph(name: "norms")
        let scale = try backend.makeRandomTensor("g", TensorShape(columns: 64), .f32, seed: 2, scale: 1)
        let (x, y, g) = (graph.boundView(input), graph.boundView(output), graph.boundView(scale))
        for _ in 0..<2 {
            graph.add(.rmsNorm(RMSNorm(input: x, weight: g.tensor, groups: 1, epsilon: 1e-6, output: y)))
        }
        try backend.resetTimings()
        let plan = try backend.compile(graph)
        for run in 0..<2 {
            try backend.resetTimings()
            let before = backend.firstLaunchSeconds
            try backend.wait(backend.execute(plan, inputs: [], phase: .decode))
            // The second of two launches of a kernel belongs to the phase.
            #expect(try backend.seconds(in: .decode) > 0)
            let compiles = run == 0 && device.description.kind == .cpu
            #expect((backend.firstLaunchSeconds > before) == compiles)
            #expect(try backend.submissions().count == (compiles ? 2 : 1))
        }
        let last = try #require(told.withLock { $0.last })
        #expect(last[0] == last[1])
        #expect(told.withLock { $0.contains { $0[0] < $0[1] } })
        try TestDevice.expectNoMessages()
    }

    /// What attention reads is more than a plan can know.
    @Test("Attention to a full cache is divided, to an empty one not", arguments: [0, 30_000])
    func filledCache(position: Int) throws {
        let backend = VulkanBackend(try TestDevice.device())
        let (tokens, heads, headDim) = (160, 8, 64)
        func tensor(_ name: String, _ shape: TensorShape, _ type: ElementType = .f32) throws -> any StoredTensor {
            try backend.makeTensor(name, shape, type, placement: .device)
        }
        let cache = TensorShape(batch: 2, rows: 30_400, columns: headDim)
        let stored = [
            try tensor("q", TensorShape(rows: tokens, columns: heads * headDim)), try tensor("k", cache, .f16),
            try tensor("v", cache, .f16), try tensor("o", TensorShape(rows: tokens, columns: heads * headDim)),
            try tensor("position", TensorShape(columns: 1), .u32),
        ]
        var graph = Graph(name: "attention")
        let views = stored.map { graph.boundView($0) }
        graph.add(
            .attention(
                Attention(
                    queries: views[0], keys: views[1].tensor, values: views[2].tensor, heads: heads, scale: 1,
                    position: views[4], output: views[3])))
        graph.add(.advance(Advance(counter: views[4], amount: tokens)))
        let plan = try backend.compile(graph)
        // Kernels may be compiled where they are launched first.
        try backend.wait(backend.execute(plan, inputs: [PlanInput(stored[4], [0])], phase: .receiverPrefill))
        let start = PlanInput(stored[4], [UInt32(max(0, position - tokens))])
        // The second run starts where the first one ends.
        for inputs in [[start], []] {
            try backend.resetTimings()
            try backend.wait(backend.execute(plan, inputs: inputs, phase: .receiverPrefill))
            let count = try backend.submissions().count
            if try TestDevice.device().description.kind == .discrete { continue }
            if position == 0 {
                #expect(count == 1)
            } else if !inputs.isEmpty {
                #expect(count > 1)
            }
        }
        #expect(try backend.readIDs(stored[4], 0..<1) == [UInt32(max(0, position - tokens) + 2 * tokens)])
        try TestDevice.expectNoMessages()
    }
}
