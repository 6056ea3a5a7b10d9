import Inference

extension CacheRead {
    func run(_ operands: Operands) {
        let cache = operands.matrices(cache)
        let output = operands.floats(output)
        let first = Int(operands.counter(position).pointee)
        let headDim = cache.shape.columns
        for token in 0..<self.output.rows where first + token < cache.shape.rows {
            for column in 0..<self.output.columns {
                output[0, token, column] = cache[column / headDim, first + token, column % headDim]
            }
        }
    }
}
