/// Rotations of tokens that one call reads together, for models in which they depend on where the call ends: transformers
/// computes dynamic scaling so, and keys that are cached stay as they were rotated.
final class CallRotations {
    private let rope: RoPEDescription
    private let headDim: Int
    /// Up to this many rows, all calls rotate alike.
    private let bound: Int
    /// `[1, rows, headDim]`: cosines and sines of a run's tokens.
    let table: any StoredTensor
    /// One u32 that stays 0: the table's first row is the run's first token.
    let start: any StoredTensor

    /// - Parameters:
    ///   - bound: the description's `changesBeyond`.
    ///   - rows: the most tokens of one run.
    ///   - name: the cache's.
    init(
        _ rope: RoPEDescription, headDim: Int, beyond bound: Int, rows: Int, name: String, on backend: any Backend
    ) throws {
        self.rope = rope
        self.headDim = headDim
        self.bound = bound
        table = try backend.makeTensor(
            "\(name).call_rope", TensorShape(rows: rows, columns: headDim), .f32,
            placement: .device)
        start = try backend.makeTensor("\(name).call_start", TensorShape(columns: 1), .u32, placement: .device)
    }

    /// What a run is given that reads a range of rows; nil where the cache's own table has it.
    /// - Parameter end: one past the last row of the call that the run is a part of.
    func input(_ range: Range<Int>, end: Int) -> PlanInput? {
        guard end > bound, range.count > 1 || range.upperBound < end else { return nil }
        return PlanInput(table, rope.table(headDim: headDim, range, end: end).map(\.bitPattern))
    }
}
