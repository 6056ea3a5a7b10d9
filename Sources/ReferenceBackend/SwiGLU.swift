import Foundation
import Inference

extension SwiGLU {
    func run(_ operands: Operands) {
        let (input, output) = (operands.floats(input), operands.floats(output))
        let width = self.output.columns
        for token in 0..<self.output.rows {
            for column in 0..<width {
                let gate = Double(input[0, token, column])
                let up = Double(input[0, token, width + column])
                output[0, token, column] = Float(gate / (1 + exp(-gate)) * up)
            }
        }
    }
}
