import Foundation

/// What quantized weights cost in logits, against those that the checkpoint's own weights give.
struct QuantizationCost: Encodable {
    /// One kind of logits, over its positions.
    struct Row: Encodable {
        var name: String
        var positions: Int
        /// The largest difference of a logit, and over the largest logit.
        var absolute: Float
        var relative: Float
        /// Kullback-Leibler divergence of the next token's distribution from the unquantized weights' one, in nats: mean over
        /// positions.
        var mean_kl_divergence: Double
        /// Share of positions whose likeliest token is the same.
        var same_top1: Double
    }

    var weights: String
    var logits: [Row] = []

    init(weights: String) {
        self.weights = weights
    }

    /// - Parameters:
    ///   - quantized: logits `[positions, vocabulary]`.
    ///   - original: those of the unquantized weights, of the same form.
    mutating func add(_ quantized: NamedTensor, original: NamedTensor) {
        let difference = VerifyCommand.Row(quantized, reference: original)
        let (positions, vocabulary) = (original.shape[0], original.shape[1])
        var (divergence, same) = (0.0, 0)
        for position in 0..<positions {
            let range = position * vocabulary..<(position + 1) * vocabulary
            let (p, q) = (original.values[range], quantized.values[range])
            divergence += Self.divergence(p, q)
            if Self.likeliest(p) == Self.likeliest(q) { same += 1 }
        }
        let count = Double(max(1, positions))
        logits.append(
            Row(
                name: quantized.name, positions: positions, absolute: difference.absolute,
                relative: difference.relative, mean_kl_divergence: divergence / count, same_top1: Double(same) / count))
    }

    var text: String {
        var table = Table(
            ["logits", "positions", "max difference", "relative", "mean KL divergence", "same top-1"],
            rightAligned: [1, 2, 3, 4, 5])
        for row in logits {
            table.add([
                row.name, String(row.positions), String(format: "%.3g", row.absolute),
                String(format: "%.3g", row.relative), String(format: "%.3g", row.mean_kl_divergence),
                "\((100 * row.same_top1).decimals(1)) %",
            ])
        }
        return table.text
    }

    /// `sum(p * log(p / q))` of the softmax of both logits.
    private static func divergence(_ p: ArraySlice<Float>, _ q: ArraySlice<Float>) -> Double {
        let (logP, logQ) = (logSoftmax(p), logSoftmax(q))
        return zip(logP, logQ).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
    }

    private static func logSoftmax(_ logits: ArraySlice<Float>) -> [Double] {
        let largest = Double(logits.max() ?? 0)
        let logTotal = log(logits.reduce(0.0) { $0 + exp(Double($1) - largest) }) + largest
        return logits.map { Double($0) - logTotal }
    }

    /// The place of the largest logit, the lower of equals.
    private static func likeliest(_ logits: ArraySlice<Float>) -> Int {
        var best = logits.startIndex
        for index in logits.indices where logits[index] > logits[best] { best = index }
        return best - logits.startIndex
    }
}
