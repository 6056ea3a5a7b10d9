import Foundation

/// Writes a folder's files into a Swift source file: `FileEmbedder FOLDER OUTPUT.swift`.
///
/// Each file is a base64 `StaticString`, which compiles in no time; an array literal of its bytes would not.
@main
enum FileEmbedder {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else { fail("usage: FileEmbedder FOLDER OUTPUT.swift") }
        let folder = URL(filePath: arguments[1]).standardizedFileURL
        let names = try files(in: folder)
        // FNV-1a of names and contents: files of another build never pass for these.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ bytes: some Sequence<UInt8>) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        var entries = ""
        for name in names {
            let data = try Data(contentsOf: folder.appending(path: name))
            mix(name.utf8)
            mix(data)
            entries += "        (\"\(name)\", \"\(data.base64EncodedString())\"),\n"
        }
        let source = """
            enum EmbeddedFiles {
                static let fingerprint = "\(String(hash, radix: 16))"
                static let all: [(path: String, contents: StaticString)] = [
            \(entries)    ]
            }

            """
        try Data(source.utf8).write(to: URL(filePath: arguments[2]))
    }

    /// Paths within the folder, in order.
    private static func files(in folder: URL) throws -> [String] {
        guard let found = FileManager.default.enumerator(atPath: folder.path) else {
            fail("\(folder.path) can't be listed")
        }
        var names: [String] = []
        while let name = found.nextObject() as? String {
            var isDirectory: ObjCBool = false
            let path = folder.appending(path: name).path
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue else {
                continue
            }
            guard name.allSatisfy({ $0.isASCII && $0 != "\"" && $0 != "\\" }) else { fail("\(name): no plain name") }
            names.append(name)
        }
        return names.sorted()
    }

    private static func fail(_ text: String) -> Never {
        FileHandle.standardError.write(Data("error: \(text)\n".utf8))
        exit(1)
    }
}
