import Inference

extension Tally {
    func run(_ operands: Operands) {
        let (tokens, counts) = (operands.counter(tokens), operands.numbers(counts))
        let vocabulary = operands.storage(self.counts).shape.columns
        if startsAnew { counts.update(repeating: 0, count: vocabulary) }
        let given = count.map { Int(operands.counter($0).pointee) } ?? self.tokens.columns
        for index in 0..<min(given, self.tokens.columns) where tokens[index] < vocabulary {
            counts[Int(tokens[index])] += 1
        }
    }
}
