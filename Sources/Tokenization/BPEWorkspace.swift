/// Working memory of byte-pair merging, kept from piece to piece.
struct BPEWorkspace {
    /// Pieces of up to this many symbols are merged by repeated scans, which is quadratic but has no overhead; longer
    /// ones with a heap, so that a text of one endless word stays near linear.
    static let scanLimit = 40

    var symbols: [UInt32] = []
    var spelling: [UInt8] = []
    var cache = PieceCache()

    /// Of each symbol: the merge with its right neighbour as `BPEModel.merges` gives it, `PairTable.absent` for none.
    private var pairs: [UInt64] = []
    private var previous: [Int32] = []
    private var next: [Int32] = []
    private var heap = MergeHeap()

    private mutating func fillPairs(_ merges: PairTable) {
        pairs.removeAll(keepingCapacity: true)
        var index = 1
        while index < symbols.count {
            pairs.append(merges.value(symbols[index - 1], symbols[index]))
            index += 1
        }
        pairs.append(PairTable.absent)
    }

    mutating func mergeByScanning(_ merges: PairTable) {
        guard symbols.count > 1 else { return }
        fillPairs(merges)
        var count = symbols.count
        while true {
            var best = PairTable.absent
            var position = 0
            for index in 0..<(count - 1) where pairs[index] < best {
                best = pairs[index]
                position = index
            }
            guard best != PairTable.absent else { break }
            symbols[position] = UInt32(truncatingIfNeeded: best)
            count -= 1
            var index = position + 1
            while index < count {
                symbols[index] = symbols[index + 1]
                pairs[index] = pairs[index + 1]
                index += 1
            }
            let right = position + 1
            pairs[position] =
                right < count ? merges.value(symbols[position], symbols[right]) : PairTable.absent
            if position > 0 { pairs[position - 1] = merges.value(symbols[position - 1], symbols[position]) }
        }
        symbols.removeSubrange(count...)
    }

    mutating func mergeByHeap(_ merges: PairTable) {
        fillPairs(merges)
        let count = symbols.count
        // Neighbours as a linked list; -1 ends it. A symbol merged into its left neighbour gets next -2.
        previous.removeAll(keepingCapacity: true)
        next.removeAll(keepingCapacity: true)
        for index in 0..<count {
            previous.append(Int32(index) - 1)
            next.append(index + 1 < count ? Int32(index) + 1 : -1)
        }
        heap.fill(pairs)
        while let (rank, position) = heap.popFirst() {
            // Entries are not taken out when their pair changes; the pair's present merge tells.
            guard next[position] >= 0, pairs[position] >> 32 == rank else { continue }
            let right = Int(next[position])
            symbols[position] = UInt32(truncatingIfNeeded: pairs[position])
            next[position] = next[right]
            next[right] = -2
            if next[position] >= 0 {
                previous[Int(next[position])] = Int32(position)
            }
            update(position, merges)
            if previous[position] >= 0 { update(Int(previous[position]), merges) }
        }
        var length = 0
        for index in 0..<count where next[index] != -2 {
            symbols[length] = symbols[index]
            length += 1
        }
        symbols.removeSubrange(length...)
    }

    private mutating func update(_ position: Int, _ merges: PairTable) {
        let right = next[position]
        pairs[position] =
            right < 0 ? PairTable.absent : merges.value(symbols[position], symbols[Int(right)])
        if pairs[position] != PairTable.absent {
            heap.push(rank: pairs[position] >> 32, position: position)
        }
    }
}

/// A binary min-heap of (merge rank, position), lowest rank first, then leftmost.
private struct MergeHeap {
    private var entries: [UInt64] = []

    mutating func fill(_ pairs: [UInt64]) {
        entries.removeAll(keepingCapacity: true)
        for (position, pair) in pairs.enumerated() where pair != PairTable.absent {
            entries.append((pair & ~0xFFFF_FFFF) | UInt64(position))
        }
        for index in stride(from: entries.count / 2 - 1, through: 0, by: -1) { sink(index) }
    }

    mutating func push(rank: UInt64, position: Int) {
        entries.append(rank << 32 | UInt64(position))
        var index = entries.count - 1
        while index > 0, entries[index] < entries[(index - 1) / 2] {
            entries.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func popFirst() -> (rank: UInt64, position: Int)? {
        guard let first = entries.first else { return nil }
        let last = entries.removeLast()
        if !entries.isEmpty {
            entries[0] = last
            sink(0)
        }
        return (first >> 32, Int(UInt32(truncatingIfNeeded: first)))
    }

    private mutating func sink(_ start: Int) {
        var index = start
        let entry = entries[index]
        while 2 * index + 1 < entries.count {
            var child = 2 * index + 1
            if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
            guard entries[child] < entry else { break }
            entries[index] = entries[child]
            index = child
        }
        entries[index] = entry
    }
}
