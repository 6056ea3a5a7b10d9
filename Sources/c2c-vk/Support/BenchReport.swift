import Inference
import VulkanBackend
import VulkanCompute

/// What `bench` prints.
struct BenchReport: Encodable {
    struct Row: Encodable {
        /// As in llama-bench: pp for prefill, tg for decode.
        var test: String
        var prompt_tokens: Int
        /// What `tokens_per_s` counts.
        var tokens: Int
        /// Of each run.
        var seconds: [Double]
        /// Mean over the runs.
        var tokens_per_s: Double
        /// Standard deviation.
        var spread: Double
        /// What must be moved and computed at least; see `Work`.
        var least_bytes: Int
        var least_flops: Int
        /// Least bytes per second, as a share of what the device was measured to move; null unless it was.
        var bandwidth_share: Double?
        /// Least operations per second, as a share of what the device was measured to do; null unless it was.
        var arithmetic_share: Double?

        init(test: String, prompt_tokens: Int, tokens: Int, seconds: [Double], work: Work) {
            self.test = test
            self.prompt_tokens = prompt_tokens
            self.tokens = tokens
            self.seconds = seconds
            let rates = seconds.map { $0 > 0 ? Double(tokens) / $0 : 0 }
            let mean = rates.mean ?? 0
            let variance = rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, rates.count - 1))
            tokens_per_s = mean
            spread = variance.squareRoot()
            least_bytes = work.bytes
            least_flops = work.flops
        }
    }

    /// How long the ways to a first token take, one in terms of another.
    struct Ratios: Encodable {
        var prompt_tokens: Int
        /// Cache to cache, in terms of the receiver alone.
        var c2c_to_receiver: Double
        /// Text-to-text, in terms of cache to cache.
        var text_to_c2c: Double?
    }

    /// Bytes.
    struct Memory: Encodable {
        var weights_bytes: Int
        var kv_cache_bytes: Int
        /// Activations of the plans.
        var scratch_bytes: Int
        /// Rotation tables, logits, counters.
        var other_bytes: Int
        /// The four above, at most.
        var peak_device_bytes: Int
        /// Taken from the driver for them.
        var reserved_device_bytes: Int
        /// What bytes come and go through.
        var transfer_bytes: Int
        /// Of the whole process; null where the system doesn't tell, as the next two.
        var peak_process_bytes: Int?
        /// Resident at the end: the process's own, and of mapped files.
        var process_anonymous_bytes: Int?
        var process_file_bytes: Int?

        init(weights: Int, caches: Int, _ use: MemoryUse, _ process: ProcessMemory?) {
            weights_bytes = weights
            kv_cache_bytes = caches
            scratch_bytes = use.scratch
            other_bytes = max(0, use.current - weights - caches - use.scratch)
            peak_device_bytes = use.peak
            reserved_device_bytes = use.reserved
            transfer_bytes = use.transfer
            peak_process_bytes = process?.peak
            process_anonymous_bytes = process?.anonymous
            process_file_bytes = process?.file
        }

        var text: String {
            let parts = [
                ("weights", weights_bytes), ("KV-caches", kv_cache_bytes), ("scratch", scratch_bytes),
                ("other", other_bytes),
            ]
            let sum = parts.map { "\($0) \(formatBytes($1))" }.joined(separator: " + ")
            var lines = [
                "device memory: \(sum); peak \(formatBytes(peak_device_bytes)), reserved "
                    + "\(formatBytes(reserved_device_bytes)), for transfers \(formatBytes(transfer_bytes))"
            ]
            if let peak = peak_process_bytes, let anonymous = process_anonymous_bytes, let file = process_file_bytes {
                lines.append(
                    "process memory: peak \(formatBytes(peak)), at the end \(formatBytes(anonymous)) of its own "
                        + "and \(formatBytes(file)) of mapped files")
            }
            return lines.joined(separator: "\n")
        }
    }

    var model: String
    var device: String
    var memory: Memory
    var rows: [Row]
    /// By prompt; empty without sharers.
    var ratios: [Ratios]
    private(set) var device_limits: DeviceLimitsReport?

    /// Adds each row's shares of what the device can do.
    mutating func add(_ limits: DeviceLimitsReport) {
        device_limits = limits
        for index in rows.indices {
            guard let seconds = rows[index].seconds.mean, seconds > 0 else { continue }
            let shares = limits.limits.shares(
                bytes: rows[index].least_bytes, flops: rows[index].least_flops, seconds: seconds)
            rows[index].bandwidth_share = shares.bandwidth
            rows[index].arithmetic_share = shares.arithmetic
            if shares.exceedsLimits { device_limits?.are_exceeded = true }
        }
    }

    var text: String {
        let hasShares = device_limits != nil
        var table = Table(
            ["model", "size", "device", "test", "t/s", "ms"] + (hasShares ? ["of bandwidth", "of arithmetic"] : []),
            rightAligned: [1, 3, 4, 5, 6, 7])
        func percent(_ share: Double?) -> String {
            share.map { "\((100 * $0).decimals(1)) %\($0 > 1 ? " (!)" : "")" } ?? ""
        }
        for row in rows {
            table.add(
                [
                    model, formatBytes(memory.weights_bytes), device, row.test,
                    "\(row.tokens_per_s.decimals(2)) ± \(row.spread.decimals(2))",
                    ((row.seconds.mean ?? 0) * 1000).decimals(1),
                ] + (hasShares ? [percent(row.bandwidth_share), percent(row.arithmetic_share)] : []))
        }
        var lines = [table.text]
        for ratio in ratios {
            lines.append(
                "first token after \(ratio.prompt_tokens) tokens: c2c takes \(ratio.c2c_to_receiver.decimals(2)) x "
                    + "the receiver alone"
                    + (ratio.text_to_c2c.map { ", text-to-text \($0.decimals(2)) x c2c" } ?? ""))
        }
        lines.append(memory.text)
        if let device_limits {
            lines.append(device_limits.text)
            if device_limits.are_exceeded {
                lines.append(
                    "(!) above 100 %: what was read lay in a cache, or something else ran while the limits were measured"
                )
            }
        }
        return lines.joined(separator: "\n")
    }
}

/// What the device was measured to do.
struct DeviceLimitsReport: Encodable {
    var device: String
    /// Of the device, by the fastest way there is to measure it. Bytes read and written, both counted.
    var copy_bytes_per_s: Double
    var read_bytes_per_s: Double
    /// What kernels reach of these, as the driver compiles them.
    var kernel_copy_bytes_per_s: Double
    var kernel_read_bytes_per_s: Double
    /// What the machine's processors reach outside of kernels; null unless they are the device.
    var host_copy_bytes_per_s: Double?
    var host_read_bytes_per_s: Double?
    /// Float32 multiply-adds in registers, each two operations, as the driver compiles them.
    var flops_per_s: Double
    /// Those of the device's matrix units, float16 with sums in float32; null where products don't run on any. If there, it is
    /// what shares of arithmetic are taken of.
    var matrix_flops_per_s: Double?
    /// Whether a row's share of one is above 1.
    var are_exceeded = false

    let limits: DeviceLimits

    private enum CodingKeys: CodingKey {
        case device, copy_bytes_per_s, read_bytes_per_s, kernel_copy_bytes_per_s, kernel_read_bytes_per_s
        case host_copy_bytes_per_s, host_read_bytes_per_s, flops_per_s, matrix_flops_per_s, are_exceeded
    }

    /// - Throws: `UsageError` for the CPU reference.
    init(measuring backend: any Backend) throws {
        guard let backend = backend as? VulkanBackend else {
            throw UsageError("--device-limits measures a Vulkan device; choose one with --device N")
        }
        limits = try backend.measureLimits()
        device = backend.name
        copy_bytes_per_s = limits.copyBytesPerSecond
        read_bytes_per_s = limits.readBytesPerSecond
        kernel_copy_bytes_per_s = limits.kernelMemory.copy
        kernel_read_bytes_per_s = limits.kernelMemory.read
        host_copy_bytes_per_s = limits.hostMemory?.copy
        host_read_bytes_per_s = limits.hostMemory?.read
        flops_per_s = limits.flopsPerSecond
        matrix_flops_per_s = limits.matrixFlopsPerSecond
    }

    var text: String {
        func memory(_ copy: Double, _ read: Double) -> String {
            "copies \((copy * 1e-9).decimals(2)) GB/s (read and written), reads \((read * 1e-9).decimals(2)) GB/s"
        }
        let machine = host_copy_bytes_per_s.flatMap { copy in
            host_read_bytes_per_s.map { "; the machine's own code: " + memory(copy, $0) }
        }
        return
            "\(device), as its driver compiles kernels: \(memory(kernel_copy_bytes_per_s, kernel_read_bytes_per_s)), "
            + "float32 multiply-adds in registers \((flops_per_s * 1e-9).decimals(1)) GFLOP/s, matrix units "
            + (matrix_flops_per_s.map { "\(($0 * 1e-9).decimals(1)) GFLOP/s" } ?? "none") + (machine ?? "")
    }
}
