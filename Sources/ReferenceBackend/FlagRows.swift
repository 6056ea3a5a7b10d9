import Inference

extension FlagRows {
    func run(_ operands: Operands) {
        let (bounds, flags) = (operands.counter(bounds), operands.numbers(flags))
        let count = min(Int(operands.counter(self.count).pointee), self.bounds.columns)
        var passed = 0
        for row in 0..<operands.storage(self.flags).shape.columns {
            while passed < count, bounds[passed] <= row { passed += 1 }
            flags[row] = passed % 2 == 1 ? 1 : 0
        }
    }
}
