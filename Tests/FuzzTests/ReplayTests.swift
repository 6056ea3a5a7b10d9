import Foundation
import FuzzReaders
import Testing

/// How much longer than usual a test may take: sanitizers slow down what they watch, and Tools/sanitize.sh says how much.
let patience = Double(ProcessInfo.processInfo.environment["C2C_VK_TEST_PATIENCE"] ?? "") ?? 1

/// Every file of the fuzzer's corpus, seeds and what once crashed, hung or grew alike.
@Suite struct ReplayTests {
    private static let corpus = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

    @Test("A file from a stranger is read or refused, within a second", arguments: Reader.allCases)
    func replay(reader: Reader) throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.corpus.appending(path: reader.rawValue), includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let bytes = [UInt8](try Data(contentsOf: file))
            let start = ContinuousClock.now
            #expect(throws: Never.self, "\(file.lastPathComponent)") { try reader.examine(bytes) }
            #expect((ContinuousClock.now - start) / .seconds(1) < 1 * patience, "\(file.lastPathComponent)")
        }
    }
}
