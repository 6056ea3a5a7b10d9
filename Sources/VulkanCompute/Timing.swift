import CVulkan

/// What a recorded list measures of itself on the device.
public enum ListTiming: Sendable {
    case none
    /// From start to end of the list; next to no cost.
    case wholeList
    /// Every command alone, with barriers between; what overlaps otherwise does not here.
    case perDispatch
}

/// What a dispatch moves and computes, as its caller counts it.
public struct DispatchCost: Sendable {
    public var bytes: Int
    public var flops: Int

    public init(bytes: Int = 0, flops: Int = 0) {
        self.bytes = bytes
        self.flops = flops
    }
}

/// One measured command of a list.
public struct KernelTiming: Sendable {
    /// The dispatch's label.
    public let label: String
    /// The kernel's label, or "copy" or "fill".
    public let kernel: String
    public let seconds: Double
    public let bytes: Int
    public let flops: Int
    /// Whether this is another part of the launch that an earlier dispatch began.
    public let isContinuation: Bool
}

/// The timestamps of a list: pairs, in query pools of fixed size that are added as recording needs them. Each pool is
/// reset in the list itself, so that every submission measures anew.
final class TimestampQueries {
    private static let pairsPerPool = 256

    private final class Pool {
        let object: DeviceObject

        init(on device: LogicalDevice) throws {
            var info = VkQueryPoolCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO
            info.queryType = VK_QUERY_TYPE_TIMESTAMP
            info.queryCount = UInt32(pairsPerPool * 2)
            object = try DeviceObject(on: device, "vkCreateQueryPool", destroy: vkDestroyQueryPool) {
                vkCreateQueryPool($0, &info, nil, $1)
            }
        }
    }

    private let device: LogicalDevice
    private var pools: [Pool] = []
    private(set) var pairCount = 0

    init(on device: LogicalDevice) {
        self.device = device
    }

    /// Records the start of a new pair; its index is for `end` and `seconds`. Like the end, the moment when everything
    /// before it has completed.
    func start(in commands: VkCommandBuffer) throws -> Int {
        let index = pairCount
        if index % Self.pairsPerPool == 0 {
            let pool = try Pool(on: device)
            vkCmdResetQueryPool(commands, pool.object.handle, 0, UInt32(Self.pairsPerPool * 2))
            pools.append(pool)
        }
        pairCount += 1
        write(index, isEnd: false, in: commands)
        return index
    }

    func end(_ index: Int, in commands: VkCommandBuffer) {
        write(index, isEnd: true, in: commands)
    }

    private func write(_ index: Int, isEnd: Bool, in commands: VkCommandBuffer) {
        let query = UInt32(index % Self.pairsPerPool * 2 + (isEnd ? 1 : 0))
        vkCmdWriteTimestamp(
            commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pools[index / Self.pairsPerPool].object.handle, query)
    }

    /// Seconds of every pair, in order; nil while one is missing.
    func seconds() throws -> [Double]? {
        var all: [Double] = []
        let bits = device.limits.timestampValidBits
        let mask = bits >= 64 ? UInt64.max : (1 << UInt64(bits)) - 1
        for (index, pool) in pools.enumerated() {
            let pairs = min(Self.pairsPerPool, pairCount - index * Self.pairsPerPool)
            var ticks = [UInt64](repeating: 0, count: pairs * 2)
            let result = ticks.withUnsafeMutableBytes {
                vkGetQueryPoolResults(
                    device.handle, pool.object.handle, 0, UInt32(pairs * 2), $0.count, $0.baseAddress, 8,
                    VK_QUERY_RESULT_64_BIT.rawValue)
            }
            if result == VK_NOT_READY { return nil }
            try check(result, "vkGetQueryPoolResults")
            for pair in 0..<pairs {
                let elapsed = (ticks[pair * 2 + 1] &- ticks[pair * 2]) & mask
                all.append(Double(elapsed) * device.limits.timestampPeriod * 1e-9)
            }
        }
        return all
    }
}
