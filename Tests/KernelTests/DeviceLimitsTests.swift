import Testing
import VulkanBackend

@Suite(.serialized)
struct DeviceLimitsTests {
    /// How fast a device is can't be asserted, only that figures are there and within what any device can do.
    @Test("what a device does at most")
    func limits() throws {
        let limits = try VulkanBackend(try TestDevice.device()).measureLimits()
        #expect((1e8..<1e14).contains(limits.copyBytesPerSecond))
        #expect((1e8..<1e14).contains(limits.readBytesPerSecond))
        #expect((1e8..<1e16).contains(limits.flopsPerSecond))
        #expect(limits.bytesPerSecond >= limits.copyBytesPerSecond)
    }

    @Test("what its matrix units do at most")
    func matrixUnits() throws {
        var options = VulkanBackendOptions()
        options.loadsByLane = false
        let backend = VulkanBackend(try TestDevice.device(), options: options)
        let rate = try backend.measureLimits().matrixFlopsPerSecond
        #expect((rate != nil) == backend.usesMatrixUnits)
        if let rate { #expect((1e8..<1e17).contains(rate)) }
    }
}
