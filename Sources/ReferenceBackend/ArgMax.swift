import Inference

extension ArgMax {
    func run(_ operands: Operands) {
        let logits = operands.floats(logits)
        var best: (index: Int, value: Float) = (0, -.infinity)
        for index in 0..<self.logits.columns where logits[0, 0, index] > best.value {
            best = (index, logits[0, 0, index])
        }
        operands.counter(token).pointee = UInt32(best.index)
        let log = operands.storage(log)
        let step = Int(operands.counter(step).pointee)
        if step < log.shape.columns {
            log.base.assumingMemoryBound(to: UInt32.self)[step] = UInt32(best.index)
        }
    }
}
