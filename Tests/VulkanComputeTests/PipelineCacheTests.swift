import Foundation
import Testing
import VulkanCompute

@Suite struct PipelineCacheTests {
    private func run(_ options: DeviceOptions) throws {
        try withDevice(options) { _ = try $0.makeKernels([TestKernel.scale(factor: 7)]) }
    }

    private func onlyFile(in folder: URL) throws -> URL {
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count == 1)
        return try #require(files.first)
    }

    /// Not with lavapipe of Mesa 26: what it gives ends within the header that every cache starts with.
    private static let driverHasCaches: Bool = {
        let device = try? Instance(logger: quietLogger).chooseDevice()
        return device?.kind != .cpu || device?.driverInfo.hasPrefix("Mesa 26.") != true
    }()

    @Test(.enabled(if: driverHasCaches, "needs a driver that gives its cache"))
    func cacheIsWrittenOnceAndReadAgain() throws {
        let folder = try TemporaryFolder()
        var options = DeviceOptions()
        let directory = folder.url.appendingPathComponent("made/when/needed")
        options.pipelineCacheDirectory = directory
        options.shaderHash = "a"
        try run(options)
        let file = try onlyFile(in: directory)
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

    /// A driver's cache as the file would hold it: Vulkan's header for this device, and something after it.
    private func cacheData(of device: DeviceDescription) -> Data {
        let header: [UInt32] = [32, 1, device.vendorID, device.deviceID]
        return header.withUnsafeBytes { Data($0) } + Data(device.pipelineCacheUUID) + Data((0..<117).map { UInt8($0) })
    }

    @Test func damagedAndForeignFilesAreIgnored() throws {
        let device = try Instance(logger: quietLogger).chooseDevice()
        let folder = try TemporaryFolder()
        let key = PipelineCacheFile.key(of: device, shaderHash: "hash")
        let file = folder.url.appendingPathComponent(PipelineCacheFile.name(forKey: key))
        let data = cacheData(of: device)
        try PipelineCacheFile.write(data, to: file, key: key)
        #expect(PipelineCacheFile.read(file, key: key, device: device) == data)

        let other = PipelineCacheFile.key(of: device, shaderHash: "other hash")
        #expect(PipelineCacheFile.read(file, key: other, device: device) == nil)
        #expect(PipelineCacheFile.name(forKey: other) != PipelineCacheFile.name(forKey: key))

        let good = try Data(contentsOf: file)
        for position in good.indices {
            var bytes = good
            bytes[position] ^= 0x80
            try bytes.write(to: file)
            #expect(PipelineCacheFile.read(file, key: key, device: device) == nil, "byte \(position)")
        }
        for bytes in [Data(), good.prefix(8), good.prefix(20), good.dropLast(), good + Data([0])] {
            try bytes.write(to: file)
            #expect(PipelineCacheFile.read(file, key: key, device: device) == nil, "\(bytes.count) bytes")
        }
        // Whole and sound, but of another device, or too short for Vulkan's header.
        for position in [4, 8, 12, 16, 31] {
            var foreign = data
            foreign[position] ^= 1
            try PipelineCacheFile.write(foreign, to: file, key: key)
            #expect(PipelineCacheFile.read(file, key: key, device: device) == nil, "header byte \(position)")
        }
        try PipelineCacheFile.write(data.prefix(31), to: file, key: key)
        #expect(PipelineCacheFile.read(file, key: key, device: device) == nil)
        #expect(PipelineCacheFile.read(folder.url, key: key, device: device) == nil, "a folder")
    }

    @Test(.enabled(if: driverHasCaches, "needs a driver that gives its cache"))
    func aDamagedFileIsReplaced() throws {
        let folder = try TemporaryFolder()
        var options = DeviceOptions()
        options.pipelineCacheDirectory = folder.url
        try run(options)
        let file = try onlyFile(in: folder.url)
        let good = try Data(contentsOf: file)
        try Data("something else".utf8).write(to: file)
        try run(options)
        #expect(try Data(contentsOf: file) == good)
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
