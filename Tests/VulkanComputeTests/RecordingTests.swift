import Testing
import VulkanCompute

@Suite struct RecordingTests {
    private static let count = 1000

    private func buffers(_ count: Int, on device: Device) throws -> [Buffer] {
        try (0..<count).map { try device.makeBuffer(label: "buffer \($0)", byteCount: Self.count * 4) }
    }

    @Test func independentDispatchesHaveNoBarrier() throws {
        try withDevice { device in
            let kernel = try device.makeKernels([TestKernel.scale()])[0]
            let buffers = try buffers(9, on: device)
            try device.upload([UInt32](0..<UInt32(Self.count)), to: buffers[0])
            let recorder = try device.makeRecorder(label: "list")
            // All read the same input, which is no conflict.
            for index in 1..<9 {
                try recorder.run(kernel, from: buffers[0], to: buffers[index], count: Self.count, addend: UInt32(index))
            }
            let list = try recorder.finish()
            #expect(list.barrierCount == 0 && list.dispatchCount == 8)
            try device.submit(list)
            for index in 1..<9 {
                let expected = (0..<UInt32(Self.count)).map { $0 + UInt32(index) }
                #expect(try device.download(UInt32.self, from: buffers[index], count: Self.count) == expected)
            }
        }
    }

    @Test func conflictsHaveABarrierEach() throws {
        try withDevice { device in
            let kernel = try device.makeKernels([TestKernel.scale()])[0]
            let buffers = try buffers(4, on: device)
            func barriers(_ pairs: [(Int, Int)]) throws -> Int {
                let recorder = try device.makeRecorder(label: "list")
                for (from, to) in pairs { try recorder.run(kernel, from: buffers[from], to: buffers[to], count: 100) }
                return recorder.barrierCount
            }
            #expect(try barriers([(0, 1), (1, 2)]) == 1, "read after write")
            #expect(try barriers([(0, 1), (2, 0)]) == 1, "write after read")
            #expect(try barriers([(0, 1), (2, 1)]) == 1, "write after write")
            #expect(try barriers([(0, 1), (2, 3)]) == 0)
            #expect(try barriers([(0, 1), (1, 2), (2, 3)]) == 2)
            // The barrier for 1 covers the write of 3 as well.
            #expect(try barriers([(0, 1), (0, 3), (1, 2), (3, 2)]) == 2)
            #expect(try barriers([(0, 1), (0, 3), (1, 2), (3, 0)]) == 1)
        }
    }

    @Test func rangesOfOneBufferConflictOnlyWhereTheyOverlap() throws {
        try withDevice { device in
            let kernel = try device.makeKernels([TestKernel.scale()])[0]
            let source = try device.makeBuffer(label: "source", byteCount: 4096)
            let target = try device.makeBuffer(label: "target", byteCount: 4096)
            func barriers(_ ranges: [(offset: Int, byteCount: Int)]) throws -> Int {
                let recorder = try device.makeRecorder(label: "list")
                for range in ranges {
                    try recorder.dispatch(
                        kernel,
                        bindings: [
                            .read(source), .write(target, offset: range.offset, byteCount: range.byteCount),
                        ], pushConstants: TestKernel.Constants(count: 1, addend: 0), groups: (1, 1, 1))
                }
                return recorder.barrierCount
            }
            #expect(try barriers([(0, 256), (256, 256), (1024, 512)]) == 0)
            #expect(try barriers([(0, 260), (256, 256)]) == 1)
            #expect(try barriers([(512, 1024), (768, 4)]) == 1)
        }
    }

    /// A long chain, mixed with copies and fills, gives what the host computes; with full barriers the same bytes.
    @Test(arguments: [CommandRecorder.Barriers.derived, .full])
    func mixedCommandsGiveTheHostsResult(barriers: CommandRecorder.Barriers) throws {
        try withDevice { device in
            let kernels = try device.makeKernels([TestKernel.scale(factor: 3), TestKernel.accumulate()])
            let (x, y, z) = try (
                device.makeBuffer(label: "x", byteCount: Self.count * 4),
                device.makeBuffer(label: "y", byteCount: Self.count * 4),
                device.makeBuffer(label: "z", byteCount: Self.count * 4, kind: .hostReadable)
            )
            var (hostX, hostY, hostZ) = (
                [UInt32](0..<UInt32(Self.count)), [UInt32](repeating: 0, count: Self.count),
                [UInt32](repeating: 0, count: Self.count)
            )
            try device.upload(hostX, to: x)
            let recorder = try device.makeRecorder(label: "list", barriers: barriers)
            try recorder.fill(z, value: 5)
            hostZ = [UInt32](repeating: 5, count: Self.count)
            for round in 0..<UInt32(10) {
                try recorder.run(kernels[0], from: x, to: y, count: Self.count, addend: round)
                for i in hostY.indices { hostY[i] = hostX[i] &* 3 &+ round }
                try recorder.run(kernels[1], from: y, to: z, count: Self.count, toAccess: .readWrite)
                for i in hostZ.indices { hostZ[i] = hostZ[i] &+ hostY[i] }
                try recorder.copy(from: z, to: x, toOffset: 4, byteCount: (Self.count - 1) * 4)
                hostX.replaceSubrange(1..., with: hostZ.dropLast())
            }
            let list = try recorder.finish()
            #expect(list.dispatchCount == 20)
            // Every command but the first waits for the one before it.
            #expect(list.barrierCount == 30)
            try device.submit(list)
            #expect(try device.download(UInt32.self, from: x, count: Self.count) == hostX)
            #expect(try device.download(UInt32.self, from: z, count: Self.count) == hostZ)
        }
    }

    @Test func fullBarriersSeparateIndependentCommands() throws {
        try withDevice { device in
            let kernel = try device.makeKernels([TestKernel.scale()])[0]
            let buffers = try buffers(4, on: device)
            let recorder = try device.makeRecorder(label: "list", barriers: .full)
            for index in 1..<4 { try recorder.run(kernel, from: buffers[0], to: buffers[index], count: 8) }
            #expect(recorder.barrierCount == 2)
        }
    }

    /// x = 3 x + 1, a thousand times, of a list recorded once and submitted without waiting.
    @Test func aListRunsAsOftenAsItIsSubmitted() throws {
        try withDevice { device in
            let kernel = try device.makeKernels([TestKernel.scale(factor: 3)])[0]
            let buffers = try buffers(2, on: device)
            try device.upload([UInt32](0..<UInt32(Self.count)), to: buffers[0])
            let recorder = try device.makeRecorder(label: "step")
            try recorder.run(kernel, from: buffers[0], to: buffers[1], count: Self.count, addend: 1)
            try recorder.copy(from: buffers[1], to: buffers[0], byteCount: Self.count * 4)
            let list = try recorder.finish()
            var values: [UInt64] = []
            for _ in 0..<1000 { values.append(try device.submit(list)) }
            #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 })
            try device.wait(values[999])
            #expect(try values.allSatisfy { try device.isComplete($0) })
            var expected = [UInt32](0..<UInt32(Self.count))
            for _ in 0..<1000 {
                for i in expected.indices { expected[i] = expected[i] &* 3 &+ 1 }
            }
            #expect(try device.download(UInt32.self, from: buffers[0], count: Self.count) == expected)
            #expect(throws: VulkanError.self) { try device.wait(values[999] + 100) }
        }
    }

    @Test func listsOfSeveralThreadsAreSubmittedSafely() async throws {
        let instance = try Instance(validation: validationIsOn, logger: quietLogger)
        let device = try Device(instance.chooseDevice(), of: instance)
        let kernel = try device.makeKernels([TestKernel.scale(factor: 2)])[0]
        let sums = try await withThrowingTaskGroup(of: Bool.self) { group in
            for task in 0..<UInt32(4) {
                group.addTask {
                    let source = try device.makeBuffer(label: "source", byteCount: 4000)
                    let target = try device.makeBuffer(label: "target", byteCount: 4000)
                    for round in 0..<UInt32(20) {
                        try device.update(source, values: [UInt32](repeating: task * 100 + round, count: 1000))
                        let recorder = try device.makeRecorder(label: "list")
                        try recorder.run(kernel, from: source, to: target, count: 1000)
                        try device.submit(recorder.finish())
                        let result = try device.download(UInt32.self, from: target, count: 1000)
                        guard result.allSatisfy({ $0 == (task * 100 + round) * 2 }) else { return false }
                    }
                    return true
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sums == [true, true, true, true])
        #expect(instance.validation?.messages ?? [] == [])
    }

    @Test func argumentsAreChecked() throws {
        try withDevice { device in
            let kernel = try device.makeKernels([TestKernel.scale()])[0]
            let limits = device.description.limits
            let large = try device.makeBuffer(label: "large", byteCount: limits.maxStorageBufferRange + 256)
            let small = try device.makeBuffer(label: "small", byteCount: 256)
            let recorder = try device.makeRecorder(label: "list")
            let constants = TestKernel.Constants(count: 1, addend: 0)
            func expect(
                _ problem: String, _ bindings: [BufferBinding], groups: (x: Int, y: Int, z: Int) = (1, 1, 1)
            ) throws {
                let error = #expect(throws: VulkanError.self) {
                    try recorder.dispatch(
                        kernel, label: "step", bindings: bindings, pushConstants: constants, groups: groups)
                }
                let text = error?.description ?? ""
                #expect(text.hasPrefix("list, step: "))
                #expect(text.contains(problem), "\(text)")
            }
            let whole = limits.maxStorageBufferRange + 256
            try expect("1 bindings, kernel scale has 2", [.read(small)])
            try expect("(large) is \(whole) bytes, the device binds at most", [.read(large), .write(small)])
            try expect("which is no multiple of", [.read(small, offset: 4), .write(small)])
            try expect("the buffer has 256", [.read(small, byteCount: 260), .write(small)])
            try expect("the buffer has 256", [.read(small, offset: -256, byteCount: 4), .write(small)])
            try expect("the buffer has 256", [.read(small, offset: 256), .write(small)])
            try expect("workgroups", [.read(small), .write(small)], groups: (0, 1, 1))
            let most = limits.maxComputeWorkGroupCount
            try expect("workgroups", [.read(small), .write(small)], groups: (1, 1, most.z + 1))
            #expect(throws: VulkanError.self) {
                try recorder.dispatch(kernel, bindings: [.read(small), .write(small)], groups: (1, 1, 1))
            }
            #expect(throws: VulkanError.self) { try recorder.copy(from: small, to: large, byteCount: 257) }
            #expect(throws: VulkanError.self) {
                try recorder.copy(from: small, to: small, toOffset: 64, byteCount: 128)
            }
            #expect(throws: VulkanError.self) { try recorder.fill(small, offset: 2) }
            #expect(recorder.dispatchCount == 0 && recorder.barrierCount == 0)
            _ = try recorder.finish()
            #expect(throws: VulkanError.self) { try recorder.fill(small) }
            #expect(throws: VulkanError.self) { try recorder.finish() }
        }
    }
}
