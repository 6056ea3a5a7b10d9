import VulkanCompute

/// Memory that launches need while they run: ranges of one buffer, handed out round and round, so that launches which may run
/// side by side seldom have the same. Where they do, the recorder makes one wait for the other.
final class TemporaryMemory {
    /// How many ranges of the largest size there are before the first is handed out again, unless they take too much.
    private static let rounds = 8
    private static let byteCounts = 1 << 16...1 << 24

    private let alignment: Int
    private let makeBuffer: (_ byteCount: Int) throws -> Buffer
    private var buffer: Buffer?
    private var next = 0

    /// - Parameters:
    ///   - alignment: what ranges start at a multiple of.
    ///   - makeBuffer: gives a buffer; a larger one replaces it, and launches recorded with the old one keep that.
    init(alignment: Int, makeBuffer: @escaping (_ byteCount: Int) throws -> Buffer) {
        self.alignment = alignment
        self.makeBuffer = makeBuffer
    }

    /// Memory for one op.
    func range(byteCount: Int) throws -> BufferBinding {
        let taken = byteCount.groups(of: alignment) * alignment
        if (buffer?.byteCount ?? 0) < taken {
            let byteCount = Self.rounds * taken
            buffer = try makeBuffer(
                max(taken, min(max(byteCount, Self.byteCounts.lowerBound), Self.byteCounts.upperBound)))
            next = 0
        }
        guard let buffer else { preconditionFailure("a buffer was made") }
        if next + taken > buffer.byteCount { next = 0 }
        defer { next += taken }
        return .readWrite(buffer, offset: next, byteCount: byteCount)
    }
}
