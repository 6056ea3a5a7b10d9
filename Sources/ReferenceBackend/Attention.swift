import Foundation
import Inference

extension Attention {
    /// Softmax over all visible keys at once, with sums in double precision.
    func run(_ operands: Operands) {
        let (queries, output) = (operands.floats(queries), operands.floats(output))
        let (keys, values) = (operands.matrices(keys), operands.matrices(values))
        let headDim = keys.shape.columns
        let groupSize = heads / keys.shape.batch
        let first = Int(operands.counter(position).pointee) + firstToken
        let visible = min(first + self.queries.rows, keys.shape.rows)
        let flags = padding.map { operands.numbers($0) }
        for kvHead in 0..<keys.shape.batch {
            let keyRows = (0..<visible).map { keys.row(kvHead, $0) }
            let valueRows = (0..<visible).map { values.row(kvHead, $0) }
            for head in kvHead * groupSize..<(kvHead + 1) * groupSize {
                for token in 0..<self.queries.rows {
                    let query = queries.row(0, token) + head * headDim
                    let count = min(first + token + 1, visible)
                    let scores = (0..<count).map { key in
                        if let flags, flags[key] != 0 { return -Double.infinity }
                        var sum = 0.0
                        for column in 0..<headDim { sum += Double(query[column]) * Double(keyRows[key][column]) }
                        return sum * Double(scale)
                    }
                    let largest = scores.max() ?? 0
                    let weights = scores.map { largest == -.infinity ? 0 : exp($0 - largest) }
                    let total = max(weights.reduce(0, +), .leastNormalMagnitude)
                    for column in 0..<headDim {
                        var sum = 0.0
                        for key in 0..<count { sum += weights[key] * Double(valueRows[key][column]) }
                        output[0, token, head * headDim + column] = Float(sum / total)
                    }
                }
            }
        }
    }
}
