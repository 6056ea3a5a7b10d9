import Inference

extension CacheWrite {
    func run(_ operands: Operands) {
        let cache = operands.matrices(cache)
        let input = operands.floats(input)
        let first = Int(operands.counter(position).pointee)
        let headDim = cache.shape.columns
        for token in 0..<self.input.rows where first + token < cache.shape.rows {
            for column in 0..<self.input.columns {
                cache[column / headDim, first + token, column % headDim] = input[0, token, column]
            }
        }
    }
}
