import Inference

extension CacheWrite {
    func run(_ operands: Operands) {
        let cache = operands.matrices(cache)
        let input = operands.floats(input)
        let first = Int(operands.counter(position).pointee)
        let headDim = cache.shape.columns
        for token in 0..<self.input.rows where first + token < cache.shape.rows {
            for head in 0..<cache.shape.batch {
                let values = (0..<headDim).map { input[0, token, head * headDim + $0] }
                cache.setRow(head, first + token, values)
            }
        }
    }
}
