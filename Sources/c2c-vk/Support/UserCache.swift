import Foundation

/// Where this program keeps what can be made again.
enum UserCache {
    /// As the XDG base directory specification says; a folder for temporary files where that can't be written. Nil where
    /// nothing can.
    static let directory: URL? = {
        let environment = ProcessInfo.processInfo.environment
        var places: [URL] = []
        if let base = environment["XDG_CACHE_HOME"], base.hasPrefix("/") {
            places.append(URL(filePath: base).appending(path: "c2c-vk"))
        } else if let home = environment["HOME"], home.hasPrefix("/") {
            places.append(URL(filePath: home).appending(path: ".cache/c2c-vk"))
        }
        places.append(FileManager.default.temporaryDirectory.appending(path: "c2c-vk-\(getuid())"))
        return places.first(where: isUsable)
    }()

    /// Whether a folder is there, or can be made, and is this user's own: others could put anything into theirs.
    private static func isUsable(_ folder: URL) -> Bool {
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var status = stat()
        return stat(folder.path, &status) == 0 && status.st_uid == getuid() && access(folder.path, W_OK | X_OK) == 0
    }
}
