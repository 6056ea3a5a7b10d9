import VulkanCompute

/// Device time by kind of launch.
public struct Profile: Sendable {
    /// Launches that share a label.
    public struct Row: Sendable {
        /// The kernel with its sizes, such as `linear [4096, 1024] bf16 x 1`.
        public var label: String
        public var calls = 0
        public var seconds = 0.0
        /// Bytes that must be moved at least, and floating-point operations, of all calls.
        public var bytes = 0
        public var flops = 0

        /// 10^9 bytes per second.
        public var gigabytesPerSecond: Double { seconds > 0 ? Double(bytes) / seconds * 1e-9 : 0 }
        /// 10^9 operations per second.
        public var gigaflops: Double { seconds > 0 ? Double(flops) / seconds * 1e-9 : 0 }
    }

    private var byLabel: [String: Row] = [:]

    /// The most expensive first.
    public var rows: [Row] {
        byLabel.values.sorted { $0.seconds == $1.seconds ? $0.label < $1.label : $0.seconds > $1.seconds }
    }

    mutating func add(_ timing: KernelTiming) {
        var row = byLabel[timing.label] ?? Row(label: timing.label)
        if !timing.isContinuation { row.calls += 1 }
        row.seconds += timing.seconds
        row.bytes += timing.bytes
        row.flops += timing.flops
        byLabel[timing.label] = row
    }
}
