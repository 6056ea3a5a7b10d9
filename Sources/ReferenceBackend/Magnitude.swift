import Inference

extension Magnitude {
    func run(_ operands: Operands) {
        let (input, result) = (operands.floats(input), operands.counter(result))
        for matrix in 0..<self.input.batch {
            for row in 0..<self.input.rows {
                for column in 0..<self.input.columns {
                    let value = input[matrix, row, column]
                    result[0] = max(result[0], value.magnitude.bitPattern)
                    if !value.isFinite { result[1] = max(result[1], ~UInt32(column)) }
                }
            }
        }
    }
}
