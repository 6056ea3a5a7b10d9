import CVulkan
import Foundation

/// Compiled pipelines kept between runs: a VkPipelineCache and its file. A file of another device, driver or set of
/// shaders, or a damaged one, is ignored; a file that cannot be written is only logged.
final class PipelineCache: @unchecked Sendable {
    private let device: LogicalDevice
    private let cache: DeviceObject
    private let file: URL?
    private let key: String
    private let lock = NSLock()
    /// Bytes of the driver's data in the file, as far as known. Guarded by `lock`.
    private var savedCount: Int?
    private var hasFailed = false

    var handle: VkPipelineCache { cache.handle }

    /// - Parameters:
    ///   - directory: where the file is, or will be; nil = kept nowhere.
    ///   - shaderHash: identifies the program's set of shaders.
    init(on device: LogicalDevice, directory: URL?, shaderHash: String) throws {
        self.device = device
        let key = PipelineCacheFile.key(of: device.description, shaderHash: shaderHash)
        file = directory?.appendingPathComponent(PipelineCacheFile.name(forKey: key))
        let loaded = file.flatMap { PipelineCacheFile.read($0, key: key, device: device.description) }
        savedCount = loaded?.count
        cache = try withScratch { scratch in
            var info = VkPipelineCacheCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO
            info.initialDataSize = loaded?.count ?? 0
            info.pInitialData = UnsafeRawPointer(scratch.array(Array(loaded ?? Data())))
            return try DeviceObject(on: device, "vkCreatePipelineCache", destroy: vkDestroyPipelineCache) {
                vkCreatePipelineCache($0, &info, nil, $1)
            }
        }
        self.key = key
    }

    /// Writes the file if the cache holds more than it. A cache only grows, so its size tells; a warm start does
    /// not copy it.
    func save() {
        guard let file else { return }
        lock.withLock {
            guard !hasFailed else { return }
            do {
                var count = 0
                try check(vkGetPipelineCacheData(device.handle, handle, &count, nil), "vkGetPipelineCacheData")
                guard count != savedCount else { return }
                let data = try contents(count: count)
                // Nor what no later run would take.
                guard PipelineCacheFile.isOf(device.description, data) else { return }
                try PipelineCacheFile.write(data, to: file, key: key)
                savedCount = count
            } catch {
                // Once is enough: nothing is lost but time.
                hasFailed = true
                device.logger.warning("\(file.path) was not written: \(error)")
            }
        }
    }

    private func contents(count: Int) throws -> Data {
        var count = count
        var data = Data(count: count)
        try data.withUnsafeMutableBytes {
            try check(vkGetPipelineCacheData(device.handle, handle, &count, $0.baseAddress), "vkGetPipelineCacheData")
        }
        return data.prefix(count)
    }
}
