/// The merges of byte-pair encoding as they are read, the first one first.
struct MergeList {
    /// (left id, right id) -> rank in the high half, id of the joined token in the low half.
    private(set) var table: PairTable
    private(set) var count = 0
    private let vocabulary: Vocabulary

    init(_ vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
        table = PairTable(minimumCapacity: vocabulary.count)
    }

    /// Adds the next merge. A pair given twice keeps its last rank, as in the file format's own library.
    ///
    /// - Throws: `TokenizationError.invalidFile` where one of the three tokens isn't in the vocabulary.
    mutating func add(_ left: [UInt8], _ right: [UInt8]) throws {
        let (leftID, rightID, joined) = (try id(left), try id(right), try id(left + right))
        table.insert(leftID, rightID, UInt64(count) << 32 | UInt64(joined))
        count += 1
    }

    /// Adds a merge written as `a b`, as older files and merges.txt have it; passes over the version line of such files.
    mutating func add(line: [UInt8]) throws {
        if line.starts(with: "#version".utf8) { return }
        let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw TokenizationError.invalidFile("merge \(count): \(quoted(line)) is not two tokens")
        }
        try add(Array(parts[0]), Array(parts[1]))
    }

    private func id(_ token: [UInt8]) throws -> UInt32 {
        guard let id = vocabulary.id(of: token) else {
            throw TokenizationError.invalidFile("merge \(count): \(quoted(token)) is not in the vocabulary")
        }
        return UInt32(id)
    }
}
