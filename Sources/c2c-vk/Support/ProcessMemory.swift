import Foundation

/// The memory of this process, as Linux counts it; bytes.
struct ProcessMemory {
    /// The most that was resident.
    var peak: Int
    /// Resident now and the process's own, which is where a device of the host's memory has its part.
    var anonymous: Int
    /// Resident now of mapped files.
    var file: Int

    /// Nil where the system doesn't tell.
    static var current: ProcessMemory? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
        func bytes(_ name: String) -> Int? {
            let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 * 1024 }
        }
        guard let peak = bytes("VmHWM"), let anonymous = bytes("RssAnon"), let file = bytes("RssFile") else {
            return nil
        }
        return ProcessMemory(peak: peak, anonymous: anonymous, file: file)
    }
}
