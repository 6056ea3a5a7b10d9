import CVulkan
import Foundation
import OutputFiles

/// The file's form: magic, length of key, key, length of data, checksum of data, data; numbers little-endian.
package enum PipelineCacheFile {
    private static let magic = Data("VKPIPES1".utf8)
    /// Drivers keep some KiB per pipeline; more than this is not a file of ours.
    private static let mostBytes = 1 << 30

    /// All that must agree for compiled pipelines to be of use.
    package static func key(of device: DeviceDescription, shaderHash: String) -> String {
        let uuid = device.pipelineCacheUUID.map { hex(UInt64($0), digits: 2) }.joined()
        let numbers = [device.vendorID, device.deviceID, device.driverVersion].map { hex(UInt64($0), digits: 8) }
        return (numbers + [uuid, shaderHash]).joined(separator: "-")
    }

    /// The shader hash comes from the caller and may hold anything, so the name takes its digest.
    package static func name(forKey key: String) -> String {
        "pipelines-" + hex(checksum(Data(key.utf8)), digits: 16) + ".bin"
    }

    /// Nil for a file that is absent, damaged, or of something else.
    package static func read(_ file: URL, key: String, device: DeviceDescription) -> Data? {
        guard let values = try? file.resourceValues(forKeys: [.fileSizeKey, .isRegularFileKey]),
            values.isRegularFile == true, let size = values.fileSize, size <= mostBytes,
            let contents = try? Data(contentsOf: file)
        else { return nil }
        var rest = contents[...]
        func take(_ count: Int) -> Data? {
            guard count >= 0, rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        func takeNumber() -> UInt64? { take(8).map { $0.reversed().reduce(0) { $0 << 8 | UInt64($1) } } }
        guard take(magic.count) == magic,
            let keyCount = takeNumber(), take(Int(clamping: keyCount)) == Data(key.utf8),
            let count = takeNumber(), let expected = takeNumber(), rest.count == Int(clamping: count)
        else { return nil }
        let data = Data(rest)
        guard checksum(data) == expected, isOf(device, data) else { return nil }
        return data
    }

    /// Atomically: a reader finds the old file or the new one.
    package static func write(_ data: Data, to file: URL, key: String) throws {
        let keyBytes = Data(key.utf8)
        let contents =
            magic + bytes(UInt64(keyBytes.count)) + keyBytes + bytes(UInt64(data.count)) + bytes(checksum(data)) + data
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try OutputFile.write(contents, to: OutputPlace(file.path, replacing: nil))
    }

    /// FNV-1a over words of eight bytes, the last one padded with zeros; against accidents, not against malice.
    static func checksum(_ data: Data) -> UInt64 {
        data.withUnsafeBytes { bytes in
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            var position = 0
            while position < bytes.count {
                var word: UInt64 = 0
                let count = min(8, bytes.count - position)
                withUnsafeMutableBytes(of: &word) {
                    $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position..<position + count]))
                }
                hash = (hash ^ word) &* 0x0000_0100_0000_01B3
                hash ^= hash >> 29
                position += count
            }
            return hash
        }
    }

    /// Vulkan's own header: length, version 1, vendor, device, UUID (VkPipelineCacheHeaderVersionOne).
    static func isOf(_ device: DeviceDescription, _ data: Data) -> Bool {
        guard data.count >= 32 else { return false }
        let words = data.prefix(16).withUnsafeBytes { bytes in
            (0..<4).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self) }
        }
        return words[1] == VK_PIPELINE_CACHE_HEADER_VERSION_ONE.rawValue && words[2] == device.vendorID
            && words[3] == device.deviceID && Array(data.dropFirst(16).prefix(16)) == device.pipelineCacheUUID
    }

    private static func bytes(_ number: UInt64) -> Data {
        withUnsafeBytes(of: number.littleEndian) { Data($0) }
    }

    private static func hex(_ number: UInt64, digits: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
