import Foundation

/// Where this program keeps what can be made again.
enum UserCache {
    /// As the XDG base directory specification says; nil without a home.
    static var directory: URL? {
        let environment = ProcessInfo.processInfo.environment
        if let base = environment["XDG_CACHE_HOME"], base.hasPrefix("/") {
            return URL(filePath: base).appending(path: "c2c-vk")
        }
        return environment["HOME"].map { URL(filePath: $0).appending(path: ".cache/c2c-vk") }
    }
}
