import Testing
import VulkanCompute

@Suite struct TimingTests {
    private struct Setup {
        let kernel: Kernel
        let source: Buffer
        let target: Buffer

        init(_ device: Device) throws {
            kernel = try device.makeKernels([TestKernel.scale()])[0]
            source = try device.makeBuffer(label: "source", byteCount: 1 << 20)
            target = try device.makeBuffer(label: "target", byteCount: 1 << 20)
            try device.upload([UInt32](repeating: 1, count: 1 << 18), to: source)
        }

        func list(_ device: Device, dispatches: Int, timing: ListTiming) throws -> CommandList {
            let recorder = try device.makeRecorder(label: "timed", timing: timing)
            for index in 0..<dispatches {
                try recorder.run(
                    kernel, from: source, to: target, count: 1 << 18, cost: .init(bytes: 2 << 20, flops: index))
            }
            return try recorder.finish()
        }
    }

    @Test func wholeListTakesTimeAndMoreWorkTakesMore() throws {
        try withDevice { device in
            let setup = try Setup(device)
            let short = try setup.list(device, dispatches: 1, timing: .wholeList)
            let long = try setup.list(device, dispatches: 100, timing: .wholeList)
            #expect(try short.lastElapsedSeconds() == nil, "not submitted yet")
            func seconds(_ list: CommandList) throws -> Double {
                try device.wait(device.submit(list))
                #expect(try list.lastKernelTimings() == nil)
                return try #require(try list.lastElapsedSeconds())
            }
            _ = try seconds(short)
            let (one, hundred) = (try seconds(short), try seconds(long))
            #expect(one > 0 && hundred > one && hundred < 60)
            // Again, several in flight: the latest counts.
            var value: UInt64 = 0
            for _ in 0..<5 { value = try device.submit(long) }
            try device.wait(value)
            #expect(try #require(try long.lastElapsedSeconds()) > one)
        }
    }

    @Test func everyDispatchIsMeasured() throws {
        try withDevice { device in
            let setup = try Setup(device)
            // More than a query pool holds.
            let recorder = try device.makeRecorder(label: "timed", timing: .perDispatch)
            for index in 0..<300 {
                try recorder.dispatch(
                    setup.kernel, label: "step \(index)",
                    bindings: [.read(setup.source, byteCount: 4096), .write(setup.target, byteCount: 4096)],
                    pushConstants: TestKernel.Constants(count: 1024, addend: 0), groups: (16, 1, 1),
                    cost: .init(bytes: 8192, flops: index))
            }
            try recorder.copy(from: setup.source, to: setup.target, byteCount: 1 << 20)
            let list = try recorder.finish()
            #expect(list.barrierCount == 300)
            for _ in 0..<2 {
                try device.wait(device.submit(list))
                let timings = try #require(try list.lastKernelTimings())
                #expect(timings.count == 301)
                #expect(timings[17].label == "step 17" && timings[17].kernel == "scale")
                #expect(timings[17].bytes == 8192 && timings[17].flops == 17)
                #expect(timings[300].kernel == "copy" && timings[300].bytes == 2 << 20)
                #expect(timings.allSatisfy { $0.seconds >= 0 && $0.seconds < 10 })
                let sum = timings.reduce(0) { $0 + $1.seconds }
                #expect(sum > 0)
                #expect(abs(try #require(try list.lastElapsedSeconds()) - sum) < 1e-9)
            }
        }
    }

    @Test func withoutTimingThereIsNone() throws {
        try withDevice { device in
            let list = try Setup(device).list(device, dispatches: 1, timing: .none)
            try device.wait(device.submit(list))
            #expect(try list.lastElapsedSeconds() == nil && list.lastKernelTimings() == nil)
        }
    }
}
