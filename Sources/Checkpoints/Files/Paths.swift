import Foundation

/// `directory/name`.
func join(_ directory: String, _ name: String) -> String {
    directory.hasSuffix("/") ? directory + name : directory + "/" + name
}

/// Whether the path is a directory, or a link to one.
func isDirectory(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
}

/// Whether there is anything at the path.
func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path)
}

/// - Throws: `CheckpointError` if there is no directory at the path.
func requireDirectory(_ path: String) throws {
    guard exists(path) else { throw CheckpointError(.missing, path, "no such directory") }
    guard isDirectory(path) else {
        throw CheckpointError(.inaccessible, path, "is a file; give the directory that holds it")
    }
}

/// The name of the file or directory at a path, also for "." and the like.
func lastComponent(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
}
