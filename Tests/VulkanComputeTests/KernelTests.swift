import Foundation
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
        }
    }

    // MARK: The pipeline cache's file

    private func run(_ options: DeviceOptions) throws {
        try withDevice(options) { _ = try $0.makeKernels([TestKernel.scale(factor: 7)]) }
    }

    private func onlyFile(in folder: URL) throws -> URL {
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count == 1)
        return try #require(files.first)
    }

    @Test func cacheIsWrittenOnceAndReadAgain() throws {
        let folder = try TemporaryFolder()
        var options = DeviceOptions()
        options.pipelineCacheDirectory = folder.url.appendingPathComponent("made/when/needed")
        options.shaderHash = "a"
        try run(options)
        let file = try onlyFile(in: options.pipelineCacheDirectory!)
        let contents = try Data(contentsOf: file)
        #expect(contents.count > 32)
        // Unchanged pipelines leave the file alone: not even its modification time changes.
        let old = Date(timeIntervalSince1970: 1_000_000)
        try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: file.path)
        try run(options)
        let date = try FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate] as? Date
        #expect(date == old)
        // Other shaders have another file.
        options.shaderHash = "b/../b"
        try run(options)
        #expect(try FileManager.default.contentsOfDirectory(atPath: file.deletingLastPathComponent().path).count == 2)
    }

    @Test func damagedAndForeignFilesAreIgnoredAndReplaced() throws {
        let folder = try TemporaryFolder()
        var options = DeviceOptions()
        options.pipelineCacheDirectory = folder.url
        try run(options)
        let file = try onlyFile(in: folder.url)
        let good = try Data(contentsOf: file)
        var damaged: [Data] = [Data(), Data("something else".utf8), good.dropLast(), good + Data([0])]
        // Every part: magic, lengths, key, checksum, Vulkan's header, the last byte.
        for position in [0, 8, 15, 20, good.count - 1, good.count - 33, good.count - 40, good.count - 48] {
            var bytes = good
            bytes[position] ^= 0xFF
            damaged.append(bytes)
        }
        for bytes in damaged {
            try bytes.write(to: file)
            try run(options)
            #expect(try Data(contentsOf: file) == good)
        }
    }

    @Test func aCacheThatCannotBeWrittenIsNoError() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("a file")
        try Data().write(to: file)
        var options = DeviceOptions()
        options.pipelineCacheDirectory = file.appendingPathComponent("below it")
        try run(options)
    }
}
