import Testing
import VulkanCompute

/// The layers that the other tests rely on, and that they would notice.
@Suite struct ValidationTests {
    static let layerIsInstalled: Bool = {
        do {
            _ = try Instance(validation: true, logger: quietLogger)
            return true
        } catch {
            return false
        }
    }()

    /// What comes after a kernel that read buffer 0 and wrote buffer 1.
    private typealias Command = (CommandRecorder, Kernel, [Buffer]) throws -> Void

    private func messages(omittingBarriers: Bool, then command: Command) throws -> [String] {
        let instance = try Instance(validation: true, logger: quietLogger)
        let device = try Device(instance.chooseDevice(), of: instance)
        let kernel = try device.makeKernels([TestKernel.scale()])[0]
        let buffers = try (0..<3).map { try device.makeBuffer(label: "buffer \($0)", byteCount: 1024) }
        let recorder = try device.makeRecorder(label: "list")
        recorder.omitsBarriers = omittingBarriers
        try recorder.run(kernel, from: buffers[0], to: buffers[1], count: 256)
        try command(recorder, kernel, buffers)
        try device.wait(device.submit(recorder.finish()))
        // Names have hyphens or underscores, depending on the layer's age.
        return try #require(instance.validation).drain().map { $0.replacing("_", with: "-") }
    }

    @Test(.enabled(if: layerIsInstalled, "needs vulkan-validationlayers"))
    func synchronizationValidationNoticesAMissingBarrier() throws {
        let fill: Command = { recorder, _, buffers in try recorder.fill(buffers[1]) }
        if try messages(omittingBarriers: true, then: fill).contains(where: { $0.contains("WRITE-AFTER-READ") }) {
            try Test.cancel("this layer takes what kernels write for read, as that of Ubuntu 24.04 does (1.3.275)")
        }
        let read: Command = { try $0.run($1, from: $2[1], to: $2[2], count: 256) }
        #expect(try messages(omittingBarriers: false, then: read) == [])
        let noticed = try messages(omittingBarriers: true, then: read)
        #expect(noticed.contains { $0.contains("SYNC-HAZARD-READ-AFTER-WRITE") })
    }
}
