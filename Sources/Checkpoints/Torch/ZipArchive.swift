/// A zip file whose entries are stored uncompressed, as `torch.save` writes it, with zip64 where sizes need it.
/// Format: PKWARE APPNOTE.TXT, sections 4.3 to 4.5. Entries are ranges of the mapped file; checksums are not verified.
package struct ZipArchive: Sendable {
    package static let maximumEntries = 100_000
    /// In bytes; also bounds the cost of hashing names.
    package static let maximumNameLength = 512

    /// Every entry's bytes, by name.
    package let entries: [String: MappedRegion]

    /// - Throws: `CheckpointError` if the directory or a local header contradicts the file or each other, an entry is
    ///   compressed or encrypted, or two share a name.
    package init(_ file: MappedFile) throws {
        let directory = try ZipDirectory(file)
        var entries: [String: MappedRegion] = [:]
        try file.region(offset: directory.offset, count: directory.size).withBytes { bytes in
            var reader = ByteReader(bytes, file: file.path, subject: "zip directory")
            for _ in 0..<directory.entryCount {
                let header = try ZipEntryHeader(central: &reader)
                let region = try header.contents(in: file, before: directory.offset)
                guard entries.updateValue(region, forKey: header.name) == nil else {
                    throw CheckpointError(.malformed, file.path, "holds two entries named \(quoted(header.name))")
                }
            }
        }
        self.entries = entries
    }
}

/// Where the central directory is, from the record at the file's end.
private struct ZipDirectory {
    static let endSize = 22
    static let locatorSize = 20

    let offset: Int
    let size: Int
    let entryCount: Int

    init(_ file: MappedFile) throws {
        let end = try Self.endOffset(file)
        var record = (entries: UInt64(0), size: UInt64(0), offset: UInt64(0))
        var directoryLimit = end
        try file.contents.withBytes { bytes in
            var reader = ByteReader(bytes, file: file.path, subject: "zip end record")
            try reader.skip(end + 4)
            let disks: (UInt16, UInt16) = (try reader.integer(), try reader.integer())
            let onThisDisk: UInt16 = try reader.integer()
            record.entries = UInt64(try reader.integer(UInt16.self))
            record.size = UInt64(try reader.integer(UInt32.self))
            record.offset = UInt64(try reader.integer(UInt32.self))
            guard disks == (0, 0), UInt64(onThisDisk) == record.entries else {
                throw CheckpointError(.unsupported, file.path, "is one part of a zip archive in several")
            }
            if let zip64 = try Self.zip64Record(file, bytes, end: end) {
                record = (zip64.entries, zip64.size, zip64.offset)
                directoryLimit = zip64.start
            }
        }
        guard record.entries <= UInt64(ZipArchive.maximumEntries) else {
            throw CheckpointError(.tooLarge, file.path, "claims \(record.entries) zip entries")
        }
        guard record.offset <= UInt64(directoryLimit), record.size <= UInt64(directoryLimit) - record.offset else {
            throw CheckpointError(.malformed, file.path, "its zip directory lies outside the file; download it again")
        }
        offset = Int(record.offset)
        size = Int(record.size)
        entryCount = Int(record.entries)
    }

    /// The end record is the last thing in the file but for a comment of at most 65535 bytes.
    private static func endOffset(_ file: MappedFile) throws -> Int {
        let missing = CheckpointError(
            .malformed, file.path, "has no zip directory at its end; it is truncated, download or save it again")
        guard file.size >= endSize else { throw missing }
        let first = max(0, file.size - endSize - Int(UInt16.max))
        let window = try file.region(offset: first, count: file.size - first)
        let found = window.withBytes { bytes in
            stride(from: bytes.count - endSize, through: 0, by: -1).first { start in
                bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self).littleEndian == 0x0605_4B50
                    && start + endSize
                        + Int(bytes.loadUnaligned(fromByteOffset: start + 20, as: UInt16.self).littleEndian)
                        == bytes.count
            }
        }
        guard let found else { throw missing }
        return first + found
    }

    /// The zip64 record that a locator right before the end record points to, if there is one.
    private static func zip64Record(
        _ file: MappedFile, _ bytes: UnsafeRawBufferPointer, end: Int
    ) throws -> (entries: UInt64, size: UInt64, offset: UInt64, start: Int)? {
        guard end >= locatorSize else { return nil }
        var locator = ByteReader(bytes, file: file.path, subject: "zip64 locator")
        try locator.skip(end - locatorSize)
        guard try locator.integer(UInt32.self) == 0x0706_4B50 else { return nil }
        try locator.skip(4)
        let start = try locator.integer(UInt64.self)
        guard start < UInt64(end) else {
            throw CheckpointError(.malformed, file.path, "its zip64 record lies outside the file")
        }
        var record = ByteReader(bytes, file: file.path, subject: "zip64 record")
        try record.skip(Int(start))
        guard try record.integer(UInt32.self) == 0x0606_4B50 else {
            throw CheckpointError(.malformed, file.path, "has no zip64 record where its locator points")
        }
        // Size of the record, two versions, two disk numbers, entries on this disk.
        try record.skip(8 + 2 + 2 + 4 + 4 + 8)
        return (try record.integer(), try record.integer(), try record.integer(), Int(start))
    }
}

/// An entry as the central directory describes it.
private struct ZipEntryHeader {
    let name: String
    let rawName: [UInt8]
    let flags: UInt16
    let method: UInt16
    let size: UInt64
    let localOffset: UInt64

    init(central reader: inout ByteReader) throws {
        let file = reader.file
        guard try reader.integer(UInt32.self) == 0x0201_4B50 else {
            throw CheckpointError(.malformed, file, "its zip directory holds something that is not an entry")
        }
        try reader.skip(4)  // versions
        flags = try reader.integer()
        method = try reader.integer()
        try reader.skip(8)  // time, date, checksum
        let compressed32: UInt32 = try reader.integer()
        let size32: UInt32 = try reader.integer()
        let nameLength = Int(try reader.integer(UInt16.self))
        let extraLength = Int(try reader.integer(UInt16.self))
        let commentLength = Int(try reader.integer(UInt16.self))
        try reader.skip(8)  // disk, attributes
        let offset32: UInt32 = try reader.integer()
        guard nameLength <= ZipArchive.maximumNameLength else {
            throw CheckpointError(.tooLarge, file, "a zip entry's name is \(nameLength) bytes long")
        }
        let nameBytes = try reader.take(nameLength)
        guard let name = text(nameBytes) else {
            throw CheckpointError(.malformed, file, "a zip entry's name is not UTF-8")
        }
        self.name = name
        rawName = [UInt8](nameBytes)
        var zip64 = Zip64Field(try reader.take(extraLength), file: file)
        try reader.skip(commentLength)
        size = try zip64.value(size32)
        let compressed = try zip64.value(compressed32)
        localOffset = try zip64.value(offset32)

        guard flags & 1 == 0 else { throw CheckpointError(.unsupported, file, "\(quoted(name)) is encrypted") }
        guard method == 0 else {
            let methodName = method == 8 ? "deflate" : "method \(method)"
            throw CheckpointError(
                .unsupported, file,
                "\(quoted(name)) is compressed (\(methodName)), which is not supported; "
                    + "save the file with torch.save, which stores without compression")
        }
        guard compressed == size else {
            throw CheckpointError(.malformed, file, "\(quoted(name)) is stored, yet its two sizes differ")
        }
    }

    /// The entry's bytes, after its local header was found to agree with the directory.
    /// - Parameter limit: offset of the central directory; entries end before it.
    func contents(in file: MappedFile, before limit: Int) throws -> MappedRegion {
        func malformed(_ problem: String) -> CheckpointError {
            CheckpointError(.malformed, file.path, "zip entry \(quoted(name)): \(problem); download or save it again")
        }
        guard localOffset < UInt64(limit) else { throw malformed("it starts outside the file") }
        let start = Int(localOffset)
        let headerSize = try file.region(offset: start, count: limit - start).withBytes { bytes in
            var reader = ByteReader(bytes, file: file.path, subject: "zip entry \(quoted(name))")
            guard try reader.integer(UInt32.self) == 0x0403_4B50 else { throw malformed("it has no local header") }
            try reader.skip(2)
            let localFlags: UInt16 = try reader.integer()
            guard try reader.integer(UInt16.self) == method else { throw malformed("two compression methods") }
            try reader.skip(8)
            let compressed32: UInt32 = try reader.integer()
            let size32: UInt32 = try reader.integer()
            let nameLength = Int(try reader.integer(UInt16.self))
            let extraLength = Int(try reader.integer(UInt16.self))
            guard try reader.take(nameLength).elementsEqual(rawName) else { throw malformed("it has two names") }
            var zip64 = Zip64Field(try reader.take(extraLength), file: file.path)
            // With flag bit 3 the sizes follow the data, and the local header may leave them zero.
            let sizesFollow = localFlags & 8 != 0
            if !(sizesFollow && compressed32 == 0 && size32 == 0) {
                guard try zip64.value(size32) == size, try zip64.value(compressed32) == size else {
                    throw malformed("its local header claims another size than the directory")
                }
            }
            return reader.offset
        }
        let available = limit - start - headerSize
        guard size <= UInt64(available) else {
            throw malformed("it claims \(size) bytes where the file has \(available)")
        }
        return try file.region(offset: start + headerSize, count: Int(size))
    }
}

/// The extra field with 64-bit values, in order, of those 32-bit fields that read 0xFFFFFFFF.
private struct Zip64Field {
    private var reader: ByteReader?

    init(_ extra: UnsafeRawBufferPointer, file: String) {
        // Writers pad extra fields freely: whatever does not parse as a field ends the search.
        var fields = ByteReader(extra, file: file, subject: "zip extra field")
        while let id = try? fields.integer(UInt16.self), let length = try? fields.integer(UInt16.self),
            let content = try? fields.take(Int(length))
        {
            if id == 1 {
                reader = ByteReader(content, file: file, subject: "zip64 extra field")
                return
            }
        }
    }

    mutating func value(_ field: UInt32) throws -> UInt64 {
        guard field == UInt32.max, reader != nil else { return UInt64(field) }
        return try reader?.integer(UInt64.self) ?? UInt64(field)
    }
}
