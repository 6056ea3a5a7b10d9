import Inference

extension RoPE {
    func run(_ operands: Operands) {
        let (input, output) = (operands.floats(input), operands.floats(output))
        let table = operands.matrices(table)
        let first = Int(operands.counter(position).pointee)
        let half = headDim / 2
        for token in 0..<self.input.rows {
            for head in 0..<self.input.columns / headDim {
                for pair in 0..<half {
                    let (left, right) = (head * headDim + pair, head * headDim + pair + half)
                    let (a, b) = (input[0, token, left], input[0, token, right])
                    let cosine = table[0, first + token, pair]
                    let sine = table[0, first + token, pair + half]
                    output[0, token, left] = a * cosine - b * sine
                    output[0, token, right] = b * cosine + a * sine
                }
            }
        }
    }
}
