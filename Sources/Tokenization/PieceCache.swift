/// The ids of pieces met before: text repeats its words. One slot for each hash value, the newest piece wins; so the
/// memory is fixed (2 MiB) and no text can make a look-up slow.
struct PieceCache {
    private static let keyLength = 32
    private static let maximumIDs = 7

    /// One cache line: what a look-up touches.
    private struct Slot {
        /// The piece, padded with zeros; `length` tells padding from content and is 0 in an unused slot.
        var key = SIMD4<UInt64>(repeating: 0)
        var ids: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0, 0, 0)
        var length: UInt8 = 0
        var count: UInt8 = 0
    }

    private var slots = [Slot](repeating: Slot(), count: 1 << 15)
    private let seed = UInt64.random(in: 0...UInt64.max) | 1

    @inline(__always)
    private func key(_ piece: UnsafeBufferPointer<UInt8>) -> SIMD4<UInt64> {
        var key = SIMD4<UInt64>(repeating: 0)
        withUnsafeMutableBytes(of: &key) { $0.copyMemory(from: UnsafeRawBufferPointer(piece)) }
        return key
    }

    @inline(__always)
    private func index(_ key: SIMD4<UInt64>) -> Int {
        let low = (key[0] ^ seed).multipliedFullWidth(by: key[1] ^ 0x9E37_79B9_7F4A_7C15)
        let high = (key[2] ^ seed).multipliedFullWidth(by: key[3] ^ 0xD1B5_4A32_D192_ED03)
        let product = (low.high ^ low.low ^ high.high &* 31 ^ high.low).multipliedFullWidth(by: seed)
        return Int(truncatingIfNeeded: product.high ^ product.low) & (slots.count - 1)
    }

    /// Appends the ids of `piece` if they are known.
    @inline(__always)
    func lookUp(_ piece: UnsafeBufferPointer<UInt8>, into ids: inout [Int]) -> Bool {
        guard piece.count <= Self.keyLength else { return false }
        let key = key(piece)
        let index = index(key)
        guard slots[index].length == UInt8(piece.count), slots[index].key == key else { return false }
        let count = Int(slots[index].count)
        if count == 1 {
            ids.append(Int(slots[index].ids.0))
        } else {
            withUnsafeBytes(of: slots[index].ids) { raw in
                for id in raw.bindMemory(to: UInt32.self).prefix(count) { ids.append(Int(id)) }
            }
        }
        return true
    }

    mutating func store(_ piece: UnsafeBufferPointer<UInt8>, _ ids: ArraySlice<Int>) {
        guard piece.count <= Self.keyLength, ids.count <= Self.maximumIDs else { return }
        let key = key(piece)
        var slot = Slot(key: key, length: UInt8(piece.count), count: UInt8(ids.count))
        withUnsafeMutableBytes(of: &slot.ids) { raw in
            let destination = raw.bindMemory(to: UInt32.self)
            for (offset, id) in ids.enumerated() { destination[offset] = UInt32(id) }
        }
        slots[index(key)] = slot
    }
}
