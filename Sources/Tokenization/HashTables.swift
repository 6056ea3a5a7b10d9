/// Hash tables made for this module's two questions, asked millions of times: a pair of integers -> 64 bits, and the
/// bytes of a token -> its id. Open addressing, at most half full. Multipliers are drawn at random, so that no
/// file can be made whose keys all collide.

/// A table from pairs of `UInt32` to a `UInt64` other than `PairTable.absent`.
struct PairTable: Sendable {
    /// What `value` answers for a pair that is not in the table; greater than any value stored.
    static let absent = UInt64.max

    private struct Slot {
        var key: UInt64
        var value: UInt64
    }

    private var slots: [Slot]
    private var count = 0
    private let multiplier = UInt64.random(in: 0...UInt64.max) | 1

    init(minimumCapacity: Int = 8) {
        var size = 16
        while size < minimumCapacity &* 2 { size *= 2 }
        slots = Array(repeating: Slot(key: 0, value: Self.absent), count: size)
    }

    @inline(__always)
    private func start(_ key: UInt64) -> Int {
        let product = key.multipliedFullWidth(by: multiplier)
        return Int(truncatingIfNeeded: product.high ^ product.low) & (slots.count - 1)
    }

    @inline(__always)
    func value(_ first: UInt32, _ second: UInt32) -> UInt64 {
        let key = UInt64(first) << 32 | UInt64(second)
        var index = start(key)
        while true {
            let slot = slots[index]
            if slot.value == Self.absent || slot.key == key { return slot.value }
            index = (index + 1) & (slots.count - 1)
        }
    }

    /// Stores `value`, replacing what the pair had before.
    mutating func insert(_ first: UInt32, _ second: UInt32, _ value: UInt64) {
        if (count + 1) * 2 > slots.count { grow() }
        place(Slot(key: UInt64(first) << 32 | UInt64(second), value: value))
    }

    private mutating func place(_ slot: Slot) {
        var index = start(slot.key)
        while slots[index].value != Self.absent && slots[index].key != slot.key {
            index = (index + 1) & (slots.count - 1)
        }
        if slots[index].value == Self.absent { count += 1 }
        slots[index] = slot
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(key: 0, value: Self.absent), count: old.count * 2)
        count = 0
        for slot in old where slot.value != Self.absent { place(slot) }
    }
}

/// The tokens of a model: spelling <-> id. Ids need not be consecutive.
struct Vocabulary: Sendable, Equatable {
    /// Sixteen times the largest vocabulary published; ids index arrays, so a file must not choose their size freely.
    static let idLimit = 1 << 22

    private var arena: [UInt8] = []
    /// Of each id: where its spelling starts in `arena`, and its length; absent ids have length -1.
    private var starts: [UInt32] = []
    private var lengths: [Int32] = []
    /// High half: part of the hash; low half: id + 1; 0 is a free slot.
    private var slots = [UInt64](repeating: 0, count: 1 << 10)
    private let seed = UInt64.random(in: 0...UInt64.max) | 1
    private(set) var count = 0

    /// Highest id + 1.
    var size: Int { lengths.count }

    /// The spelling of `id`, nil where there is none.
    func spelling(of id: Int) -> ArraySlice<UInt8>? {
        guard lengths.indices.contains(id), lengths[id] >= 0 else { return nil }
        return arena[Int(starts[id])..<Int(starts[id]) + Int(lengths[id])]
    }

    static func == (left: Vocabulary, right: Vocabulary) -> Bool {
        left.count == right.count && left.size == right.size
            && (0..<left.size).allSatisfy { left.spelling(of: $0) == right.spelling(of: $0) }
    }

    func id(of spelling: [UInt8]) -> Int? {
        let hash = hashBytes(spelling, seed: seed)
        var index = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[index] != 0 {
            let id = Int(UInt32(truncatingIfNeeded: slots[index])) - 1
            if slots[index] >> 32 == hash >> 32, isSpelling(spelling, of: id) { return id }
            index = (index + 1) & (slots.count - 1)
        }
        return nil
    }

    private func isSpelling(_ spelling: [UInt8], of id: Int) -> Bool {
        guard Int(lengths[id]) == spelling.count else { return false }
        let start = Int(starts[id])
        for offset in spelling.indices where arena[start + offset] != spelling[offset] { return false }
        return true
    }

    /// - Throws: `TokenizationError.invalidFile` when the id is out of bounds or taken, or the spelling is.
    mutating func insert(_ spelling: [UInt8], id: Int) throws {
        guard (0..<Self.idLimit).contains(id) else {
            throw TokenizationError.invalidFile(
                "model.vocab: token \(quoted(spelling)) has id \(id), expected 0..<\(Self.idLimit)")
        }
        if let other = self.spelling(of: id) {
            throw TokenizationError.invalidFile(
                "model.vocab: id \(id) is given to \(quoted(other)) and to \(quoted(spelling))")
        }
        if let other = self.id(of: spelling) {
            throw TokenizationError.invalidFile(
                "model.vocab: token \(quoted(spelling)) appears twice, with ids \(other) and \(id)")
        }
        if id >= lengths.count {
            let added = id + 1 - lengths.count
            starts.append(contentsOf: repeatElement(0, count: added))
            lengths.append(contentsOf: repeatElement(-1, count: added))
        }
        // The file's size limit keeps both within 32 bits.
        starts[id] = UInt32(arena.count)
        lengths[id] = Int32(spelling.count)
        arena.append(contentsOf: spelling)
        count += 1
        if count * 2 > slots.count { rebuildSlots() } else { place(id, hashBytes(spelling, seed: seed)) }
    }

    private mutating func place(_ id: Int, _ hash: UInt64) {
        var index = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[index] != 0 { index = (index + 1) & (slots.count - 1) }
        slots[index] = (hash & ~0xFFFF_FFFF) | UInt64(id + 1)
    }

    private mutating func rebuildSlots() {
        slots = [UInt64](repeating: 0, count: slots.count * 2)
        for id in lengths.indices {
            if let spelling = spelling(of: id) { place(id, hashBytes(Array(spelling), seed: seed)) }
        }
    }
}

/// A seeded hash of bytes, eight at a time.
@inline(__always)
private func hashBytes(_ bytes: [UInt8], seed: UInt64) -> UInt64 {
    bytes.withUnsafeBytes { raw in
        var hash = seed ^ UInt64(truncatingIfNeeded: raw.count)
        var offset = 0
        while offset + 8 <= raw.count {
            hash = mix(hash ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self), seed)
            offset += 8
        }
        var tail: UInt64 = 0
        while offset < raw.count {
            tail = tail << 8 | UInt64(raw[offset])
            offset += 1
        }
        return mix(hash ^ tail, seed)
    }
}

@inline(__always)
private func mix(_ value: UInt64, _ seed: UInt64) -> UInt64 {
    let product = (value ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: seed)
    return product.high ^ product.low
}
