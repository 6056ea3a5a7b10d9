/// Places a graph's scratch tensors in one block of memory, giving tensors that are never alive together the
/// same bytes.
public struct ScratchPlan: Sendable {
    /// Byte offset of each scratch tensor in the block.
    public private(set) var offsets: [Tensor: Int] = [:]
    /// Bytes the block needs.
    public private(set) var byteCount = 0

    /// - Parameters:
    ///   - alignment: every offset is a multiple of it; a power of two.
    ///   - joined: ops that may run as one, so that what one of them reads must outlive what another writes.
    public init(_ graph: Graph, alignment: Int, joined: [Range<Int>] = []) {
        var times = Array(graph.ops.indices)
        for range in joined {
            for index in range { times[index] = range.lowerBound }
        }
        var lifetimes: [Tensor: ClosedRange<Int>] = [:]
        var parts: [Tensor: Set<Int>] = [:]
        for (index, op) in graph.ops.enumerated() {
            let part = graph.independentParts.firstIndex { $0.contains(index) }
            for tensor in op.reads + op.writes where graph.info(tensor).isScratch {
                let first = lifetimes[tensor]?.lowerBound ?? times[index]
                lifetimes[tensor] = first...times[index]
                if let part { parts[tensor, default: []].insert(part) }
            }
        }
        // Greedy by size: the largest tensors choose first, each the lowest gap among those it lives beside.
        let bySize = lifetimes.keys.sorted {
            let (a, b) = (Self.size(of: $0, in: graph), Self.size(of: $1, in: graph))
            return a == b ? $0.id < $1.id : a > b
        }
        /// Parts that run side by side share no memory.
        func areInUnlikeParts(_ a: Tensor, _ b: Tensor) -> Bool {
            guard let a = parts[a], let b = parts[b] else { return false }
            return a != b
        }
        var placed: [(tensor: Tensor, lifetime: ClosedRange<Int>, bytes: Range<Int>)] = []
        for tensor in bySize {
            guard let lifetime = lifetimes[tensor] else { continue }
            let size = (Self.size(of: tensor, in: graph) + alignment - 1) & ~(alignment - 1)
            let neighbours =
                placed
                .filter { $0.lifetime.overlaps(lifetime) || areInUnlikeParts($0.tensor, tensor) }.map(\.bytes)
                .sorted { $0.lowerBound < $1.lowerBound }
            var offset = 0
            for bytes in neighbours {
                if offset + size <= bytes.lowerBound { break }
                offset = max(offset, bytes.upperBound)
            }
            placed.append((tensor, lifetime, offset..<offset + size))
            offsets[tensor] = offset
            byteCount = max(byteCount, offset + size)
        }
    }

    private static func size(of tensor: Tensor, in graph: Graph) -> Int {
        let info = graph.info(tensor)
        return info.type.byteCount(of: info.shape)
    }
}
