import Testing
import VulkanCompute

/// Writes that belong to a list's run.
@Suite struct UpdateTests {
    @Test func updatesOfARefusedSubmissionAreForgotten() throws {
        try withDevice { device in
            let buffer = try device.makeBuffer(label: "b", byteCount: 64, kind: .hostReadable)
            let recorder = try device.makeRecorder(label: "clear")
            try recorder.fill(buffer)
            let list = try recorder.finish()
            try device.submit(list)
            #expect(throws: VulkanError.self) {
                try device.submit(
                    list,
                    after: [
                        BufferUpdate(buffer, values: [7 as UInt32]),
                        BufferUpdate(buffer, offset: 64, values: [7 as UInt32]),
                    ])
            }
            try device.update(buffer, offset: 4, values: [9 as UInt32])
            #expect(try device.download(UInt32.self, from: buffer, count: 3) == [0, 9, 0])
        }
    }
}
