import Checkpoints
import Foundation
import Testing

struct MappedFileTests {
    @Test func readsRanges() throws {
        let directory = try TemporaryDirectory()
        let file = try MappedFile(directory.write("a", Array(0..<100)))
        #expect(file.size == 100)
        #expect(file.contents.withBytes { [UInt8]($0) } == Array(0..<100))
        let region = try file.region(offset: 10, count: 20)
        #expect(region.withBytes { [UInt8]($0) } == Array(10..<30))
        #expect(try region.region(offset: 5, count: 3).withBytes { [UInt8]($0) } == [15, 16, 17])
        #expect(try file.region(offset: 100, count: 0).count == 0)
    }

    @Test func refusesRangesOutside() throws {
        let directory = try TemporaryDirectory()
        let file = try MappedFile(directory.write("a", Array(0..<100)))
        let region = try file.region(offset: 10, count: 20)
        for (offset, count) in [
            (0, 101), (101, 0), (-1, 1), (1, -1), (100, 1), (Int.max, Int.max), (1, Int.max), (.min, .min),
        ] {
            expectError(.malformed) { _ = try file.region(offset: offset, count: count) }
            expectError(.malformed) { _ = try region.region(offset: offset, count: count) }
        }
        expectError(.malformed) { _ = try region.region(offset: 0, count: 21) }
    }

    @Test func saysWhatCannotBeMapped() throws {
        let directory = try TemporaryDirectory()
        expectError(.missing, "/none", "no such file") { _ = try MappedFile("\(directory.path)/none") }
        expectError(.missing) { _ = try MappedFile("") }
        expectError(.inaccessible, "directory") { _ = try MappedFile(directory.path) }
        expectError(.malformed, "empty") { _ = try MappedFile(directory.write("empty", [])) }
    }

    @Test(.timeLimit(.minutes(5))) func refusesAPipeWithoutWaiting() throws {
        let directory = try TemporaryDirectory()
        #expect(mkfifo("\(directory.path)/pipe", 0o600) == 0)
        expectError(.inaccessible, "regular") { _ = try MappedFile("\(directory.path)/pipe") }
    }

    @Test func adviceKeepsTheBytes() throws {
        let directory = try TemporaryDirectory()
        let bytes = (0..<50_000).map { UInt8(truncatingIfNeeded: $0) }
        let file = try MappedFile(directory.write("a", bytes))
        for (offset, count) in [(0, 50_000), (1, 3), (4095, 8193), (4096, 4096), (49_000, 1000), (50_000, 0)] {
            let region = try file.region(offset: offset, count: count)
            region.advise(.sequential)
            region.advise(.dontNeed)
        }
        #expect(file.contents.withBytes { $0.elementsEqual(bytes) })
    }

    @Test func outlivesItsFileName() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a", [1, 2, 3])
        let region = try MappedFile(path).region(offset: 1, count: 2)
        try FileManager.default.removeItem(atPath: path)
        #expect(region.withBytes { [UInt8]($0) } == [2, 3])
    }
}
