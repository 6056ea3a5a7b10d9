import Testing
import VulkanCompute

@Suite struct KernelTests {
    @Test func specializationConstantsReachTheKernel() throws {
        try withDevice { device in
            let factors = (1...24).map { UInt32($0) }
            let kernels = try device.makeKernels(try factors.map { try TestKernel.scale(factor: $0, label: "x\($0)") })
            #expect(kernels.map(\.label) == factors.map { "x\($0)" })
            let source = try device.makeBuffer(label: "source", byteCount: 64)
            try device.upload([UInt32](0..<16), to: source)
            let target = try device.makeBuffer(label: "target", byteCount: 64)
            for (factor, kernel) in zip(factors, kernels) {
                let recorder = try device.makeRecorder(label: "list")
                try recorder.run(kernel, from: source, to: target, count: 16)
                try device.submit(recorder.finish())
                #expect(
                    try device.download(UInt32.self, from: target, count: 16) == (0..<16).map { UInt32($0) * factor })
            }
        }
    }

    @Test func errorsNameTheKernel() throws {
        try withDevice { device in
            let good = try TestKernel.scale()
            func problem(_ change: (inout KernelDescription) -> Void) throws -> String {
                var bad = good
                bad.label = "attention.f16"
                change(&bad)
                let error = #expect(throws: VulkanError.self) { try device.makeKernels([good, bad]) }
                return error?.description ?? ""
            }
            #expect(try problem { $0.spirv = [] } == "kernel attention.f16: not a SPIR-V module")
            #expect(try problem { $0.spirv[0] = 0 } == "kernel attention.f16: not a SPIR-V module")
            #expect(
                try problem { $0.entryPoint = "start" }
                    == "kernel attention.f16: the SPIR-V module has no compute entry point start")
            #expect(try problem { $0.spirv = Array($0.spirv.prefix(7)) }.contains("no compute entry point"))
            #expect(try problem { $0.storageBuffers = 1000 }.contains("1000 storage buffers, this device allows"))
            #expect(try problem { $0.pushConstantBytes = 6 }.contains("6 bytes of push constants"))
            #expect(try problem { $0.pushConstantBytes = 1 << 20 }.contains("at most"))
            #expect(try problem { $0.subgroupSize = 3 }.contains("subgroups of 3, this device has"))
            #expect(try problem { $0.subgroupSize = 1024 }.contains("subgroups of 1024, this device has"))
        }
    }

    @Test func subgroupsHaveTheRequiredSize() throws {
        try withDevice { device in
            let (features, limits) = (device.description.features, device.description.limits)
            guard features.subgroupSizeControl else { return }
            var size = limits.minSubgroupSize
            while size <= limits.maxSubgroupSize {
                let kernel = try device.makeKernels([TestKernel.subgroupSize(size)])[0]
                let target = try device.makeBuffer(label: "target", byteCount: 64 * 4)
                let recorder = try device.makeRecorder(label: "list")
                try recorder.run(kernel, from: target, to: target, count: 64)
                try device.submit(recorder.finish())
                let found = try device.download(UInt32.self, from: target, count: 64)
                #expect(found == Array(repeating: UInt32(size), count: 64))
                size *= 2
            }
        }
    }
}
