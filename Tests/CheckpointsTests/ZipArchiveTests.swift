import Checkpoints
import Testing

struct ZipArchiveTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func open(_ bytes: [UInt8]) throws -> ZipArchive {
        try ZipArchive(MappedFile(directory.write("t.zip", bytes)))
    }

    private var two: ZipBuilder {
        var zip = ZipBuilder()
        zip.add("a/first", [1, 2, 3])
        zip.add("a/second", [])
        return zip
    }

    /// Two entries of which `change` spoils the first.
    private func spoiled(_ change: (inout ZipBuilder.Entry) -> Void) throws -> ZipArchive {
        var zip = two
        change(&zip.entries[0])
        return try open(zip.build())
    }

    @Test func readsStoredEntries() throws {
        let archive = try open(two.build())
        #expect(archive.entries.keys.sorted() == ["a/first", "a/second"])
        #expect(archive.entries["a/first"]?.withBytes { [UInt8]($0) } == [1, 2, 3])
        #expect(archive.entries["a/second"]?.count == 0)
        #expect(try open(ZipBuilder().build()).entries.isEmpty)
    }

    @Test func readsZip64() throws {
        var zip = two
        zip.isZip64 = true
        zip.entries[0].isZip64 = true
        let archive = try open(zip.build())
        #expect(archive.entries["a/first"]?.withBytes { [UInt8]($0) } == [1, 2, 3])
        #expect(archive.entries.count == 2)
    }

    @Test func readsACommentAndSizesThatFollowTheData() throws {
        var zip = two
        zip.comment = Array("PK\u{5}\u{6} a comment".utf8)
        zip.entries[0].flags = 8
        zip.entries[0].localSize = 0
        #expect(try open(zip.build()).entries["a/first"]?.count == 3)
    }

    @Test func refusesCompressionAndEncryption() {
        expectError(.unsupported, "'a/first'", "deflate", "torch.save") { _ = try spoiled { $0.method = 8 } }
        expectError(.unsupported, "method 14") { _ = try spoiled { $0.method = 14 } }
        expectError(.unsupported, "encrypted") { _ = try spoiled { $0.flags = 1 } }
    }

    @Test func refusesLyingEntries() throws {
        for size: UInt32 in [2, 4, 1000, .max - 1, .max] {
            expectError(.malformed) { _ = try spoiled { $0.centralSize = size } }
            expectError(.malformed, "another size") { _ = try spoiled { $0.localSize = size } }
        }
        for size: UInt32 in [1000, .max - 1, .max] {
            expectError(.malformed, "where the file has") {
                _ = try spoiled {
                    $0.centralSize = size
                    $0.localSize = size
                }
            }
        }
        // One byte beyond the last entry is the directory's first.
        var zip = two
        zip.entries[1].centralSize = 1
        zip.entries[1].localSize = 1
        expectError(.malformed, "claims 1 bytes where the file has 0") { _ = try open(zip.build()) }
        expectError(.malformed, "two sizes") { _ = try spoiled { $0.centralCompressedSize = 2 } }
        expectError(.malformed, "two names") { _ = try spoiled { $0.localName = "b/first" } }
        expectError(.malformed, "two names") { _ = try spoiled { $0.localName = "a" } }
        for offset: UInt32 in [1, 40, 1000, .max] {
            expectError(.malformed) { _ = try spoiled { $0.offset = offset } }
        }
        expectError(.malformed, "two entries", "'a/second'") { _ = try spoiled { $0.name = "a/second" } }
        expectError(.tooLarge) { _ = try spoiled { $0.name = String(repeating: "n", count: 600) } }
    }

    @Test func refusesLyingEndRecords() throws {
        func open(_ change: (inout ZipBuilder) -> Void) throws {
            var zip = two
            change(&zip)
            _ = try self.open(zip.build())
        }
        expectError(.malformed, "too early") { try open { $0.entryCount = 3 } }
        expectError(.malformed) { try open { $0.entryCount = .max } }
        expectError(.malformed, "outside") { try open { $0.directoryOffset = 1 << 20 } }
        expectError(.malformed, "outside") { try open { $0.directorySize = 1 << 20 } }
        expectError(.malformed) { try open { $0.directoryOffset = 0 } }
        for count: UInt64 in [100_001, 1 << 40, .max] {
            expectError(.tooLarge, "entries") {
                try open {
                    $0.isZip64 = true
                    $0.zip64EntryCount = count
                }
            }
        }
    }

    @Test func refusesAZip64RecordOutsideTheFile() throws {
        var zip = two
        zip.isZip64 = true
        let bytes = zip.build()
        let locator = bytes.count - 22 - 20
        for offset: UInt64 in [0, UInt64(locator), UInt64(bytes.count), 1 << 63, .max] {
            var changed = bytes
            changed.replaceSubrange(locator + 8..<locator + 16, with: offset.littleEndianBytes)
            expectError(.malformed, "zip64") { _ = try open(changed) }
        }
        // The record's size and offset of the directory.
        let record = locator - 56
        for field in [40, 48] {
            for value: UInt64 in [1 << 20, 1 << 63, .max] {
                var changed = bytes
                changed.replaceSubrange(record + field..<record + field + 8, with: value.littleEndianBytes)
                expectError(.malformed, "outside") { _ = try open(changed) }
            }
        }
    }

    @Test func everyPrefixThrows() throws {
        for isZip64 in [false, true] {
            var zip = two
            zip.isZip64 = isZip64
            zip.entries[0].isZip64 = isZip64
            let whole = zip.build()
            for length in 0..<whole.count {
                expectError(.malformed) { _ = try open(Array(whole[..<length])) }
            }
        }
    }
}
