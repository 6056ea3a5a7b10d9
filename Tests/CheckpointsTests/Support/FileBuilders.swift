import Checkpoints

/// A safetensors file with that header, true or not.
func safetensors(_ header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
    (length ?? UInt64(header.utf8.count)).littleEndianBytes + Array(header.utf8) + data
}

/// A zip archive whose every claim can be made false.
struct ZipBuilder {
    struct Entry {
        var name: String
        var bytes: [UInt8]
        var method: UInt16 = 0
        var flags: UInt16 = 0
        /// Claims of the central directory and of the local header, where they differ from the truth.
        var centralSize: UInt32?
        var centralCompressedSize: UInt32?
        var localSize: UInt32?
        var localName: String?
        var offset: UInt32?
        /// 64-bit sizes and offset in extra fields.
        var isZip64 = false
    }

    var entries: [Entry] = []
    var entryCount: UInt16?
    var directoryOffset: UInt32?
    var directorySize: UInt32?
    /// Adds a zip64 end record and locator; true for the right numbers.
    var isZip64 = false
    var zip64EntryCount: UInt64?
    var comment: [UInt8] = []

    mutating func add(_ name: String, _ bytes: [UInt8]) {
        entries.append(Entry(name: name, bytes: bytes))
    }

    func build() -> [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let offset = UInt32(file.count)
            let size = UInt32(entry.bytes.count)
            func field(_ value: UInt32) -> [UInt8] { (entry.isZip64 ? UInt32.max : value).littleEndianBytes }
            let wide = UInt64(entry.bytes.count).littleEndianBytes
            let localExtra = entry.isZip64 ? [1, 0, 16, 0] + wide + wide : []
            let localName = Array((entry.localName ?? entry.name).utf8)
            file += [0x50, 0x4B, 3, 4, 0, 0] + entry.flags.littleEndianBytes + entry.method.littleEndianBytes
            file += [UInt8](repeating: 0, count: 8) + field(entry.localSize ?? size) + field(entry.localSize ?? size)
            file += UInt16(localName.count).littleEndianBytes + UInt16(localExtra.count).littleEndianBytes
            file += localName + localExtra + entry.bytes

            let wideOffset = UInt64(offset).littleEndianBytes
            let extra = entry.isZip64 ? [0x46, 0x42, 1, 0, 0x5A, 1, 0, 24, 0] + wide + wide + wideOffset : []
            directory += [0x50, 0x4B, 1, 2, 0, 0, 0, 0] + entry.flags.littleEndianBytes
            directory += entry.method.littleEndianBytes + [UInt8](repeating: 0, count: 8)
            directory += field(entry.centralCompressedSize ?? entry.centralSize ?? size)
            directory += field(entry.centralSize ?? size)
            directory += UInt16(entry.name.utf8.count).littleEndianBytes + UInt16(extra.count).littleEndianBytes
            directory += [UInt8](repeating: 0, count: 10) + field(entry.offset ?? offset)
            directory += Array(entry.name.utf8) + extra
        }
        let start = UInt64(file.count)
        let count = entryCount ?? UInt16(entries.count)
        file += directory
        if isZip64 {
            let record = UInt64(file.count)
            let wideCount = (zip64EntryCount ?? UInt64(entries.count)).littleEndianBytes
            file += [0x50, 0x4B, 6, 6] + UInt64(44).littleEndianBytes + [UInt8](repeating: 0, count: 12)
            file += wideCount + wideCount + UInt64(directory.count).littleEndianBytes + start.littleEndianBytes
            file += [0x50, 0x4B, 6, 7, 0, 0, 0, 0] + record.littleEndianBytes + [1, 0, 0, 0]
        }
        file += [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + count.littleEndianBytes + count.littleEndianBytes
        file += (directorySize ?? (isZip64 ? .max : UInt32(directory.count))).littleEndianBytes
        file += (directoryOffset ?? (isZip64 ? .max : UInt32(start))).littleEndianBytes
        return file + UInt16(comment.count).littleEndianBytes + comment
    }
}

/// A pickle, opcode by opcode.
struct PickleBuilder {
    var bytes: [UInt8] = [0x80, 2]

    mutating func op(_ opcode: Unicode.Scalar, _ argument: [UInt8] = []) {
        bytes += [UInt8(ascii: opcode)] + argument
    }

    mutating func text(_ text: String) {
        op("X", UInt32(text.utf8.count).littleEndianBytes + Array(text.utf8))
    }

    /// As LONG1, so that any value fits.
    mutating func int(_ value: Int) {
        bytes += [0x8A, 8] + value.littleEndianBytes
    }

    mutating func global(_ module: String, _ name: String) {
        op("c", Array("\(module)\n\(name)\n".utf8))
    }

    mutating func tuple(_ values: [Int]) {
        op("(")
        values.forEach { int($0) }
        op("t")
    }

    mutating func emptyCall(_ module: String, _ name: String) {
        global(module, name)
        op(")")
        op("R")
    }

    mutating func tensor(
        key: String, type: String = "FloatStorage", count: Int, offset: Int = 0, shape: [Int], strides: [Int]
    ) {
        global("torch._utils", "_rebuild_tensor_v2")
        op("(")
        op("(")
        text("storage")
        global("torch", type)
        text(key)
        text("cpu")
        int(count)
        op("t")
        op("Q")
        int(offset)
        tuple(shape)
        tuple(strides)
        bytes.append(0x89)
        emptyCall("collections", "OrderedDict")
        op("t")
        op("R")
    }

    /// `{name: value, ...}` where `body` pushes names and values in turn.
    static func dictionary(_ body: (inout PickleBuilder) -> Void) -> [UInt8] {
        var pickle = PickleBuilder()
        pickle.emptyCall("collections", "OrderedDict")
        pickle.op("(")
        body(&pickle)
        pickle.op("u")
        pickle.op(".")
        return pickle.bytes
    }
}

/// A `.pt` file around a pickle and storages.
func torchArchive(pickle: [UInt8], storages: [String: [UInt8]], byteorder: String? = "little") -> ZipBuilder {
    var zip = ZipBuilder()
    zip.add("archive/data.pkl", pickle)
    if let byteorder { zip.add("archive/byteorder", Array(byteorder.utf8)) }
    for (key, bytes) in storages.sorted(by: { $0.key < $1.key }) { zip.add("archive/data/\(key)", bytes) }
    return zip
}

func bytes(_ floats: [Float]) -> [UInt8] {
    floats.flatMap { $0.bitPattern.littleEndianBytes }
}
