import Inference
import VulkanCompute

/// A device's products of 8-bit integers (`VK_KHR_shader_integer_dot_product`), which quantized weights are multiplied with one
/// token by.
struct IntegerProducts {
    /// Workgroups that keep the device busy.
    let fewestGroups: Int
    let sharedBytes: Int

    /// - Parameter slow: where the device has them, whether or not they are any faster.
    /// - Returns: nil where the device has nothing that the kernel can use.
    init?(of device: DeviceDescription, slow: Bool) {
        guard device.features.integerDotProduct, slow || device.features.acceleratesIntegerDotProduct,
            device.features.subgroupShuffle, device.limits.minSubgroupSize >= 4
        else { return nil }
        fewestGroups = 2 * (device.coreCount ?? 128)
        sharedBytes = device.limits.maxComputeSharedMemorySize
    }

    /// - Parameter threads: of a workgroup.
    /// - Returns: nil for rows whose digits have no room in shared memory.
    func tile(_ weight: TensorShape, threads: Int) -> LinearTile? {
        let blocks = BlockFormat.blocks(columns: weight.columns)
        let stored = weight.rows.groups(of: BlockFormat.tileRows) * weight.batch
        // Digits are made once for all tiles of a workgroup.
        let tiles = [4, 2].first { stored / $0 >= fewestGroups } ?? 1
        guard Self.sharedBytes(blocks: blocks, tiles: tiles) <= sharedBytes else { return nil }
        return LinearTile(
            kernel: "linear_integers", variant: "TILES=\(tiles)", groupRows: tiles * BlockFormat.tileRows, tokens: 1,
            threads: threads, blocks: blocks)
    }

    /// What the kernel has of shared memory: digits, scales and totals of blocks, sums of 128 invocations, squares of 32 subgroups.
    private static func sharedBytes(blocks: Int, tiles: Int) -> Int { blocks * (12 * 8 + 8) + tiles * 128 * 4 + 32 * 4 }
}
