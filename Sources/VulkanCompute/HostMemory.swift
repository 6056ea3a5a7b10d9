import Foundation

/// The host's memory, in bytes: what a driver that runs on the CPU takes from.
enum HostMemory {
    static var total: Int { Int(clamping: ProcessInfo.processInfo.physicalMemory) }

    /// What can be taken without swapping, as Linux estimates it; nil where the system does not tell.
    static var available: Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
            let kibibytes = Int(line.filter(\.isNumber))
        else { return nil }
        return kibibytes * 1024
    }
}
