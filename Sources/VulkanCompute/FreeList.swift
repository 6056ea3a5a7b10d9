/// The free ranges of a block of memory, sorted by offset and never adjacent. First fit: the few hundred tensors of a
/// program are long-lived, and a search takes far less than the allocation's other work.
package struct FreeList {
    package private(set) var ranges: [Range<Int>]
    package let capacity: Int

    package init(capacity: Int) {
        self.capacity = capacity
        ranges = capacity > 0 ? [0..<capacity] : []
    }

    /// Nothing is taken.
    package var isEntirelyFree: Bool { ranges.first.map { $0.count == capacity } ?? (capacity == 0) }

    /// Takes `count` bytes; nil when no free range holds them. Offsets keep the alignment of the counts taken.
    package mutating func take(_ count: Int) -> Int? {
        guard count > 0, let index = ranges.firstIndex(where: { $0.count >= count }) else { return nil }
        let range = ranges[index]
        if range.count == count {
            ranges.remove(at: index)
        } else {
            ranges[index] = range.lowerBound + count..<range.upperBound
        }
        return range.lowerBound
    }

    /// Gives back what `take` gave.
    package mutating func giveBack(_ range: Range<Int>) {
        let index = ranges.firstIndex { $0.lowerBound >= range.upperBound } ?? ranges.count
        var merged = range
        var replaced = index..<index
        if index < ranges.count, ranges[index].lowerBound == range.upperBound {
            merged = merged.lowerBound..<ranges[index].upperBound
            replaced = replaced.lowerBound..<index + 1
        }
        if index > 0, ranges[index - 1].upperBound == range.lowerBound {
            merged = ranges[index - 1].lowerBound..<merged.upperBound
            replaced = index - 1..<replaced.upperBound
        }
        ranges.replaceSubrange(replaced, with: CollectionOfOne(merged))
    }
}
