import Inference

extension Advance {
    func run(_ operands: Operands) {
        operands.counter(counter).pointee += UInt32(amount)
    }
}
