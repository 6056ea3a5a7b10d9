import Inference

extension RMSNorm {
    func run(_ operands: Operands) {
        let (input, output) = (operands.floats(input), operands.floats(output))
        let weights = operands.matrices(weight)
        let width = self.input.columns / groups
        for matrix in 0..<self.input.batch {
            let weight = weights.row(matrix, 0)
            for row in 0..<self.input.rows {
                for group in 0..<groups {
                    let columns = group * width..<(group + 1) * width
                    let squares = columns.reduce(0.0) { sum, column in
                        let value = Double(input[matrix, row, column])
                        return sum + value * value
                    }
                    let factor = 1 / (squares / Double(width) + Double(epsilon)).squareRoot()
                    for (index, column) in columns.enumerated() {
                        output[matrix, row, column] = Float(Double(input[matrix, row, column]) * factor) * weight[index]
                    }
                }
            }
        }
    }
}
