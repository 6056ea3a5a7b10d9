import Testing
import VulkanCompute

@Suite struct TransferTests {
    private static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    /// Sizes around the ring's: one chunk, its neighbours, the whole ring of three and well beyond.
    @Test(arguments: [false, true], [1, 3, 4093, 4096, 4097, 12288, 12289, 100_003])
    func roundTrip(staged: Bool, count: Int) throws {
        var options = DeviceOptions()
        options.forceStaging = staged
        options.stagingChunkBytes = 4096
        try withDevice(options) { device in
            let buffer = try device.makeBuffer(label: "b", byteCount: count + 13)
            let sent = Self.bytes(count, seed: UInt64(count))
            try device.upload([UInt8](repeating: 0xEE, count: count + 13), to: buffer)
            var offsets: [Int] = []
            try device.upload(to: buffer, offset: 5, byteCount: count) { chunk, offset in
                offsets.append(offset)
                chunk.copyBytes(from: sent[offset..<offset + chunk.count])
            }
            #expect(offsets == Array(stride(from: 0, to: count, by: 4096)))
            let received = try device.download(UInt8.self, from: buffer, count: count + 13)
            #expect(received == [UInt8](repeating: 0xEE, count: 5) + sent + [UInt8](repeating: 0xEE, count: 8))
        }
    }

    @Test func chunksKeepTheGranularity() throws {
        var options = DeviceOptions()
        options.forceStaging = true
        options.stagingChunkBytes = 4096
        try withDevice(options) { device in
            let buffer = try device.makeBuffer(label: "b", byteCount: 18 * 1000)
            var counts: [Int] = []
            try device.upload(to: buffer, byteCount: 18 * 1000, granularity: 18) { chunk, _ in
                counts.append(chunk.count)
            }
            #expect(counts.reduce(0, +) == 18 * 1000 && counts.count > 1)
            #expect(counts.allSatisfy { $0 % 18 == 0 })
            #expect(throws: VulkanError.self) {
                try device.upload(to: buffer, byteCount: 8192, granularity: 8192) { _, _ in }
            }
        }
    }

    @Test(arguments: [false, true]) func errorsOfTheFillingArePassedOn(staged: Bool) throws {
        struct Stop: Error {}
        var options = DeviceOptions()
        options.forceStaging = staged
        try withDevice(options) { device in
            let buffer = try device.makeBuffer(label: "b", byteCount: 64)
            #expect(throws: Stop.self) { try device.upload(to: buffer, byteCount: 64) { _, _ in throw Stop() } }
            // The ring still works.
            try device.upload([UInt32](0..<16), to: buffer)
            #expect(try device.download(UInt32.self, from: buffer, count: 16) == Array(0..<16))
        }
    }

    /// Updates, lists and uploads interleaved: each list sees the last write before it, none after it.
    @Test(arguments: [false, true]) func updatesAndUploadsKeepTheOrderOfTheStream(staged: Bool) throws {
        var options = DeviceOptions()
        options.forceStaging = staged
        try withDevice(options) { device in
            let kernel = try device.makeKernels([TestKernel.scale()])[0]
            let input = try device.makeBuffer(label: "input", byteCount: 16)
            let outputs = try (0..<30).map { try device.makeBuffer(label: "output \($0)", byteCount: 16) }
            for (round, output) in outputs.enumerated() {
                let recorder = try device.makeRecorder(label: "round \(round)")
                try recorder.run(kernel, from: input, to: output, count: 4)
                let list = try recorder.finish()
                let value = UInt32(round * 10)
                if round % 3 == 2 {
                    try device.update(input, values: [UInt32](repeating: 999, count: 4))
                    try device.upload([value, value + 1, value + 2, value + 3], to: input)
                } else {
                    // The second, overlapping update must win.
                    try device.update(input, values: [UInt32](repeating: 999, count: 4))
                    try device.update(input, values: [value, value + 1, value + 2, value + 3])
                }
                try device.submit(list)
            }
            for (round, output) in outputs.enumerated() {
                let value = UInt32(round * 10)
                #expect(
                    try device.download(UInt32.self, from: output, count: 4)
                        == [value, value + 1, value + 2, value + 3])
            }
        }
    }

    @Test func updateIsSeenByDownloadWithoutASubmission() throws {
        try withDevice { device in
            let buffer = try device.makeBuffer(label: "b", byteCount: 300_000, kind: .hostReadable)
            for count in [65536, 65540, 200_004] {
                let sent = Self.bytes(count, seed: 1)
                try device.update(BufferUpdate(buffer, offset: 4, bytes: sent))
                #expect(try device.download(UInt8.self, from: buffer, offset: 4, count: count) == sent)
            }
        }
    }

    @Test func rangesAreChecked() throws {
        try withDevice { device in
            let buffer = try device.makeBuffer(label: "small", byteCount: 64)
            let calls: [() throws -> Void] = [
                { try device.upload(to: buffer, offset: 60, byteCount: 8) { _, _ in } },
                { try device.upload(to: buffer, offset: -4, byteCount: 8) { _, _ in } },
                { try device.upload(to: buffer, offset: .max, byteCount: 8) { _, _ in } },
                { try device.upload(to: buffer, byteCount: -1) { _, _ in } },
                { _ = try device.download(UInt32.self, from: buffer, count: 17) },
                { _ = try device.download(UInt32.self, from: buffer, count: .max) },
                { _ = try device.download(UInt32.self, from: buffer, count: -1) },
                { try device.update(BufferUpdate(buffer, offset: 2, bytes: [1, 2, 3, 4])) },
                { try device.update(BufferUpdate(buffer, bytes: [1, 2, 3])) },
                { try device.update(BufferUpdate(buffer, offset: 64, bytes: [1, 2, 3, 4])) },
            ]
            for call in calls {
                let error = #expect(throws: VulkanError.self) { try call() }
                #expect(error?.description.hasPrefix("small: ") == true)
            }
        }
    }
}
