import Inference

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Penalize {
    func run(_ operands: Operands) {
        let logits = operands.floats(logits)
        let counts = operands.numbers(counts)
        for index in 0..<self.logits.columns where counts[index] > 0 {
            let logit = logits[0, 0, index] - presence - frequency * Float(counts[index])
            logits[0, 0, index] = logit > 0 ? logit / repetition : logit * repetition
        }
    }
}

extension Sample {
    func run(_ operands: Operands) {
        let logits = operands.floats(logits)
        let stored = operands.floats(self.weights)
        let columns = self.logits.columns
        let step = Int(operands.counter(step).pointee)
        func choose(_ chosen: UInt32) {
            operands.counter(token).pointee = chosen
            if step < operands.storage(log).shape.columns { operands.numbers(log)[step] = chosen }
        }
        guard (0..<columns).allSatisfy({ logits[0, 0, $0].isFinite }) else { return choose(noToken) }
        let largest = (0..<columns).map { logits[0, 0, $0] }.max() ?? 0
        // The sort is stable, so equals stay in the order of their ids.
        let tokens = (0..<columns).sorted { logits[0, 0, $0] > logits[0, 0, $1] }.prefix(topK ?? columns)
        var weights = tokens.map { (token: $0, weight: exp((logits[0, 0, $0] - largest) / temperature)) }
        if topP < 1 {
            let limit = weights.reduce(0) { $0 + Double($1.weight) } * Double(topP)
            var sum = 0.0
            let kept = weights.prefix {
                sum += Double($0.weight)
                return sum <= limit
            }
            weights.removeSubrange(max(1, kept.count)...)
        }
        weights.removeAll { $0.weight < minP }

        for index in 0..<columns { stored[0, 0, index] = 0 }
        for (token, weight) in weights { stored[0, 0, token] = weight }
        let seed = operands.counter(seed)
        let total = weights.reduce(0) { $0 + Double($1.weight) }
        let target = Double(Philox.uniform(seed: (seed[0], seed[1]), step: UInt32(step))) * total
        var sum = 0.0
        var chosen = 0
        for token in 0..<columns where stored[0, 0, token] > 0 {
            chosen = token
            sum += Double(stored[0, 0, token])
            if sum > target { break }
        }
        choose(UInt32(chosen))
    }
}

/// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
package enum Philox {
    /// A number in `0 ..< 1` of 24 bits, which depends only on seed and step.
    package static func uniform(seed: (UInt32, UInt32), step: UInt32) -> Float {
        Float(block(key: seed, counter: (step, 0, 0, 0)).0 >> 8) * 0x1p-24
    }

    package static func block(
        key: (UInt32, UInt32), counter: (UInt32, UInt32, UInt32, UInt32)
    ) -> (UInt32, UInt32, UInt32, UInt32) {
        var (key, counter) = (key, counter)
        for _ in 0..<10 {
            let first = UInt32(0xD251_1F53).multipliedFullWidth(by: counter.0)
            let second = UInt32(0xCD9E_8D57).multipliedFullWidth(by: counter.2)
            counter = (
                second.high ^ counter.1 ^ key.0, second.low, first.high ^ counter.3 ^ key.1, first.low
            )
            key = (key.0 &+ 0x9E37_79B9, key.1 &+ 0xBB67_AE85)
        }
        return counter
    }
}
