import Inference

extension Embed {
    func run(_ operands: Operands) {
        let table = operands.matrices(table)
        let output = operands.floats(output)
        let ids = operands.storage(ids.tensor).base.assumingMemoryBound(to: UInt32.self) + ids.offset
        for token in 0..<self.output.rows {
            let id = Int(ids[token])
            let isKnown = id < table.shape.rows
            for column in 0..<self.output.columns {
                output[0, token, column] = isKnown ? table[0, id, column] : 0
            }
        }
    }
}
