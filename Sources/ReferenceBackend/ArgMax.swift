import Inference

extension ArgMax {
    func run(_ operands: Operands) {
        let logits = operands.floats(logits)
        var best: (index: Int, value: Float) = (0, -.infinity)
        for index in 0..<self.logits.columns where logits[0, 0, index] > best.value {
            best = (index, logits[0, 0, index])
        }
        let isChoice = (0..<self.logits.columns).allSatisfy { logits[0, 0, $0].isFinite }
        let chosen = isChoice ? UInt32(best.index) : noToken
        operands.counter(token).pointee = chosen
        let log = operands.storage(log)
        let step = Int(operands.counter(step).pointee)
        if step < log.shape.columns {
            log.base.assumingMemoryBound(to: UInt32.self)[step] = chosen
        }
    }
}
