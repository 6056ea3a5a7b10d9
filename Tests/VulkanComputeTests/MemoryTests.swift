import Testing
import VulkanCompute

@Suite struct MemoryTests {
    @Test func freeListNeverOverlapsAndMergesBack() throws {
        var list = FreeList(capacity: 1 << 16)
        var taken: [Range<Int>] = []
        var random = SystemRandomNumberGenerator()
        for step in 0..<2000 {
            if step % 3 != 2 || taken.isEmpty {
                let count = Int.random(in: 1...2048, using: &random)
                guard let offset = list.take(count) else { continue }
                let range = offset..<offset + count
                #expect(range.upperBound <= list.capacity)
                #expect(!taken.contains { $0.overlaps(range) })
                taken.append(range)
            } else {
                list.giveBack(taken.remove(at: Int.random(in: taken.indices, using: &random)))
            }
            #expect(list.ranges.reduce(0) { $0 + $1.count } + taken.reduce(0) { $0 + $1.count } == list.capacity)
            // Sorted, apart from each other: otherwise a merge was missed.
            #expect(zip(list.ranges, list.ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
        }
        for range in taken.shuffled() { list.giveBack(range) }
        #expect(list.isEntirelyFree && list.ranges == [0..<list.capacity])
        #expect(list.take(list.capacity + 1) == nil && list.take(0) == nil)
    }

    @Test func countsUseAndPeakAndReusesMemory() throws {
        try withDevice { device in
            #expect(device.memoryStatistics().inUse == 0)
            var first: Buffer? = try device.makeBuffer(label: "first", byteCount: 1000)
            let second = try device.makeBuffer(label: "second", byteCount: 4096)
            let address = first?.mapped
            #expect(device.memoryStatistics().inUse == 1024 + 4096)
            #expect(first?.byteCount == 1000)
            first = nil
            #expect(device.memoryStatistics().inUse == 4096)
            let third = try device.makeBuffer(label: "third", byteCount: 1024)
            #expect(third.mapped == address)
            #expect(device.memoryStatistics().peak == 1024 + 4096)
            let reserved = device.memoryStatistics().reserved
            #expect(reserved >= 1024 + 4096)
            // A large buffer has an allocation of its own, which goes with it.
            do {
                let large = try device.makeBuffer(label: "large", byteCount: 100 << 20)
                #expect(device.memoryStatistics().reserved == reserved + large.byteCount)
            }
            #expect(device.memoryStatistics().reserved == reserved)
            #expect(second.byteCount == 4096)
        }
    }

    @Test func hostKindsAreMapped() throws {
        try withDevice { device in
            for kind in [MemoryKind.hostReadable, .staging] {
                let buffer = try device.makeBuffer(label: "b", byteCount: 16, kind: kind)
                #expect(buffer.mapped != nil)
            }
            // Host memory is not counted as the device's.
            #expect(device.memoryStatistics().reserved == 0)
        }
    }

    @Test func limitErrorSaysWhatWasAskedAndWhatIsFree() throws {
        var options = DeviceOptions()
        options.memoryLimit = 1 << 20
        try withDevice(options) { device in
            #expect(device.availableMemory() == 1 << 20)
            let kept = try device.makeBuffer(label: "kept", byteCount: 256 << 10)
            #expect(device.availableMemory() == 3 << 18)
            let error = #expect(throws: VulkanError.self) {
                try device.makeBuffer(label: "model.embedding", byteCount: 1 << 20)
            }
            #expect(
                error?.description
                    == "model.embedding: 1.0 MiB of device memory asked, 768.0 KiB free of 1.0 MiB (256.0 KiB held here); "
                    + "use smaller data types or shorter inputs, close other users of the device, or choose another device"
            )
            // What does fit still does, and what is given back can be had again.
            #expect(try device.makeBuffer(label: "rest", byteCount: 768 << 10).byteCount == 768 << 10)
            #expect(try device.makeBuffer(label: "rest", byteCount: 768 << 10).byteCount == 768 << 10)
            #expect(kept.byteCount == 256 << 10)
        }
    }

    @Test func sizesBeyondTheDeviceAreErrors() throws {
        try withDevice { device in
            let tooLarge = device.description.limits.maxMemoryAllocationSize + 1
            let error = #expect(throws: VulkanError.self) {
                try device.makeBuffer(label: "giant", byteCount: tooLarge)
            }
            #expect(error?.description.hasPrefix("giant: ") == true)
            #expect(error?.description.contains("one allocation of this device holds at most") == true)
            for count in [0, -1, Int.max] {
                #expect(throws: VulkanError.self) { try device.makeBuffer(label: "odd", byteCount: count) }
            }
        }
    }

    @Test func memoryInFlightIsNotReused() throws {
        try withDevice { device in
            let kernel = try device.makeKernels([TestKernel.scale()])[0]
            let count = 1 << 16
            let target = try device.makeBuffer(label: "target", byteCount: count * 4)
            var value: UInt64 = 0
            do {
                let source = try device.makeBuffer(label: "source", byteCount: count * 4)
                try device.upload([UInt32](repeating: 7, count: count), to: source)
                let recorder = try device.makeRecorder(label: "list")
                for _ in 0..<20 { try recorder.run(kernel, from: source, to: target, count: count) }
                value = try device.submit(recorder.finish())
            }
            // Source and list are gone here, but for the submission. New memory must be other memory.
            let other = try device.makeBuffer(label: "other", byteCount: count * 4)
            try device.upload([UInt32](repeating: 9, count: count), to: other)
            try device.wait(value)
            #expect(try device.download(UInt32.self, from: target, count: count).allSatisfy { $0 == 7 })
            #expect(device.memoryStatistics().inUse == 2 * count * 4)
        }
    }
}
