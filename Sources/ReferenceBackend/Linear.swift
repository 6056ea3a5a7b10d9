import Foundation
import Inference

extension Linear {
    /// Sums are taken in double precision, so what they are rounded to does not depend on their order.
    func run(_ operands: Operands) {
        let (input, output) = (operands.floats(input), operands.floats(output))
        let residual = residual.map { operands.floats($0) }
        let weights = operands.matrices(weight)
        let bias = bias.map { operands.matrices($0) }
        let inputs = self.input.columns
        for matrix in 0..<self.input.batch {
            for feature in 0..<self.output.columns {
                let weight = weights.row(matrix, feature)
                for token in 0..<self.input.rows {
                    let row = input.row(matrix, token)
                    var sum = 0.0
                    for column in 0..<inputs { sum += Double(row[column]) * Double(weight[column]) }
                    var value = Float(sum)
                    if let bias { value += bias[matrix, 0, feature] }
                    if activation == .gelu { value = Self.gelu(value) }
                    if let residual { value += residual[matrix, token, feature] }
                    output[matrix, token, feature] = value
                }
            }
        }
    }

    /// The exact form, `x * (1 + erf(x / sqrt(2))) / 2`.
    private static func gelu(_ x: Float) -> Float {
        Float(0.5 * Double(x) * (1 + erf(Double(x) / 2.0.squareRoot())))
    }
}
