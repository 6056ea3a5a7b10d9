import Foundation
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

    /// What a loop of the C library reads is no more than the machine can. Taken again where something else ran just then.
    @Test("a CPU's memory is measured as the machine reads it, not as its driver does")
    func machine() throws {
        let device = try TestDevice.device()
        guard device.description.kind == .cpu else { return }
        let bytes = [UInt8](repeating: 0, count: 256 << 20)
        let clock = ContinuousClock()
        func rate() -> Double {
            (0..<5).map { _ in
                let start = clock.now
                let found = bytes.withUnsafeBytes { all in all.baseAddress.flatMap { memchr($0, 1, all.count) } }
                let elapsed = clock.now - start
                #expect(found == nil)
                return Double(bytes.count)
                    / (Double(elapsed.components.attoseconds) * 1e-18 + Double(elapsed.components.seconds))
            }.max() ?? 0
        }
        var isMachines = false
        for _ in 0..<4 where !isMachines {
            let limits = try VulkanBackend(device).measureLimits()
            let host = try #require(limits.hostMemory)
            #expect(limits.readBytesPerSecond == max(host.read, limits.kernelMemory.read))
            #expect(limits.copyBytesPerSecond == max(host.copy, limits.kernelMemory.copy))
            isMachines = limits.readBytesPerSecond > 0.8 * rate()
        }
        #expect(isMachines, "a loop of one thread reads more than the limit")
    }

    @Test("a share above all there is says so")
    func exceeded() {
        let limits = DeviceLimits(
            kernelMemory: .init(copy: 20e9, read: 10e9), hostMemory: .init(copy: 15e9, read: 30e9), flopsPerSecond: 1e11
        )
        #expect(limits.bytesPerSecond == 30e9 && limits.copyBytesPerSecond == 20e9)
        let half = limits.shares(bytes: 15_000_000_000, flops: 25_000_000_000, seconds: 1)
        #expect(half.bandwidth == 0.5 && half.arithmetic == 0.25 && !half.exceedsLimits)
        #expect(limits.shares(bytes: 31_000_000_000, flops: 1, seconds: 1).exceedsLimits)
        #expect(limits.shares(bytes: 1, flops: 110_000_000_000, seconds: 1).exceedsLimits)
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
