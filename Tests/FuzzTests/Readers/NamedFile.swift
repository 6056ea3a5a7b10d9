/// Bytes with the name of the file they stand for.
struct NamedFile {
    var name: String
    var contents: ArraySlice<UInt8>

    /// - Parameter names: those a first line may say; the first is the name of bytes without such a line.
    init(_ bytes: [UInt8], names: [String]) {
        if let end = bytes.firstIndex(of: UInt8(ascii: "\n")),
            let name = names.first(where: { bytes[..<end].elementsEqual($0.utf8) })
        {
            self.name = name
            contents = bytes[(end + 1)...]
        } else {
            name = names[0]
            contents = bytes[...]
        }
    }
}
