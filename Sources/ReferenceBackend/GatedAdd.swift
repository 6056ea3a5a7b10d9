import Foundation
import Inference

extension GatedAdd {
    func run(_ operands: Operands) {
        let cache = operands.matrices(cache)
        let (projected, scale) = (operands.floats(projected), operands.floats(scale))
        let first = Int(operands.counter(position).pointee)
        let headDim = cache.shape.columns
        for token in 0..<self.projected.rows where first + token < cache.shape.rows {
            for head in 0..<cache.shape.batch {
                let weight = Float(1 / (1 + exp(-Double(scale[0, token, head]))))
                var values = cache.row(head, first + token)
                for column in 0..<headDim { values[column] += weight * projected[0, token, head * headDim + column] }
                cache.setRow(head, first + token, values)
            }
        }
    }
}
