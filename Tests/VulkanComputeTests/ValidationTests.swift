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

    /// Messages about two dispatches of which the second reads what the first wrote.
    private func messages(omittingBarriers: Bool) throws -> [String] {
        let instance = try Instance(validation: true, logger: quietLogger)
        let device = try Device(instance.chooseDevice(), of: instance)
        let kernel = try device.makeKernels([TestKernel.scale()])[0]
        let buffers = try (0..<3).map { try device.makeBuffer(label: "buffer \($0)", byteCount: 1024) }
        let recorder = try device.makeRecorder(label: "list")
        recorder.omitsBarriers = omittingBarriers
        try recorder.run(kernel, from: buffers[0], to: buffers[1], count: 256)
        try recorder.run(kernel, from: buffers[1], to: buffers[2], count: 256)
        try device.wait(device.submit(recorder.finish()))
        return try #require(instance.validation).drain()
    }

    @Test(.enabled(if: layerIsInstalled, "needs vulkan-validationlayers"))
    func synchronizationValidationNoticesAMissingBarrier() throws {
        #expect(try messages(omittingBarriers: false) == [])
        let noticed = try messages(omittingBarriers: true)
        // The name has hyphens or underscores, depending on the layer's age.
        #expect(noticed.contains { $0.replacing("_", with: "-").contains("SYNC-HAZARD-READ-AFTER-WRITE") })
    }
}
