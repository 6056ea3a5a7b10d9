import Foundation

/// How rotations are stretched so that a model reads more than it was trained on. The formulas, and the types numbers are
/// rounded to on the way, are those of transformers' `modeling_rope_utils`.
public enum RoPEScaling: Sendable, Hashable {
    case none
    /// All wavelengths are stretched by `factor`.
    case linear(factor: Double)
    /// NTK by length: from a call on whose rows end beyond `originalContext`, the base grows with the rows so far.
    case dynamic(factor: Double, originalContext: Int)
    case yarn(YaRN)
    /// Each wavelength has factors of its own, the long ones for calls whose rows end beyond `originalContext`; one for each
    /// pair of a head's columns. Cosines and sines are multiplied by `attentionFactor`.
    case longRoPE(short: [Double], long: [Double], attentionFactor: Double, originalContext: Int)
    /// Llama 3.1's: long wavelengths are stretched by `factor`, short ones kept, those between are blended.
    case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContext: Int)
    /// Only a `share` of the pairs is rotated, those of the shortest wavelengths, all stretched by `factor`.
    case proportional(factor: Double, share: Double)

    /// "YaRN: Efficient Context Window Extension of Large Language Models", arXiv 2309.00071: wavelengths that turn more than
    /// `betaFast` times in the original context are kept, those that turn less than `betaSlow` times are stretched by
    /// `factor`, and those between are blended along a ramp.
    public struct YaRN: Sendable, Hashable {
        public var factor: Double
        public var originalContext: Int
        public var betaFast: Double
        public var betaSlow: Double
        /// Whether the ramp's ends are rounded to whole pairs.
        public var truncates: Bool
        /// What cosines and sines are multiplied by.
        public var attentionFactor: Double

        public init(
            factor: Double, originalContext: Int, betaFast: Double = 32, betaSlow: Double = 1, truncates: Bool = true,
            attentionFactor: Double? = nil
        ) {
            self.factor = factor
            self.originalContext = originalContext
            self.betaFast = betaFast
            self.betaSlow = betaSlow
            self.truncates = truncates
            self.attentionFactor = attentionFactor ?? Self.magnitude(factor)
        }

        /// The paper's factor for attention, and the general form that DeepSeek's configurations ask for.
        public static func magnitude(_ factor: Double, scale: Double = 1) -> Double {
            factor <= 1 ? 1 : 0.1 * scale * log(factor) + 1
        }

        /// The shares in which each pair is stretched, from 0 to 1.
        func ramp(base: Double, headDim: Int) -> [Float] {
            /// The pair that turns that many times in the original context.
            func pair(turning count: Double) -> Double {
                Double(headDim) * log(Double(originalContext) / (count * 2 * Double.pi)) / (2 * log(base))
            }
            var (low, high) = (pair(turning: betaFast), pair(turning: betaSlow))
            if truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
            low = max(low, 0)
            high = min(high, Double(headDim - 1))
            if low == high { high += 0.001 }
            return (0..<headDim / 2).map { min(max((Float($0) - Float(low)) / Float(high - low), 0), 1) }
        }
    }

    /// Rows from which on rotations depend on where the call that reads a row ends; nil where they never do.
    public var changesBeyond: Int? {
        switch self {
        case .dynamic(_, let context), .longRoPE(_, _, _, let context): context
        case .none, .linear, .yarn, .llama3, .proportional: nil
        }
    }

    /// What cosines and sines are multiplied by.
    var attentionFactor: Float {
        switch self {
        case .yarn(let yarn): Float(yarn.attentionFactor)
        case .longRoPE(_, _, let factor, _): Float(factor)
        case .none, .linear, .dynamic, .llama3, .proportional: 1
        }
    }

    /// Radians per position of each pair of a head's columns: `headDim / 2` values.
    ///
    /// - Parameter end: the rows there are when the call is done that reads the positions.
    func inverseFrequencies(theta: Double, headDim: Int, end: Int) -> [Float] {
        /// The wavelengths over two pi.
        func lengths(_ base: Double) -> [Float] {
            (0..<headDim / 2).map { Float(pow(base, Double(Float(2 * $0) / Float(headDim)))) }
        }
        let plain = lengths(theta).map { 1 / $0 }
        switch self {
        case .none: return plain
        case .linear(let factor): return plain.map { $0 / Float(factor) }
        case .dynamic(let factor, let context):
            guard end > context else { return plain }
            let growth = Float(factor) * Float(end) / Float(context) - Float(factor - 1)
            let exponent = Double(headDim) / Double(headDim - 2)
            return lengths(Double(Float(theta) * Float(pow(Double(growth), exponent)))).map { 1 / $0 }
        case .yarn(let yarn):
            return zip(lengths(theta), yarn.ramp(base: theta, headDim: headDim)).map { length, share in
                let kept = 1 - share
                return 1 / (Float(yarn.factor) * length) * (1 - kept) + 1 / length * kept
            }
        case .longRoPE(let short, let long, _, let context):
            return zip(lengths(theta), end > context ? long : short).map { 1 / (Float($1) * $0) }
        case .llama3(let factor, let low, let high, let context):
            return plain.map { frequency in
                let wavelength = Float(2 * Double.pi) / frequency
                if wavelength > Float(Double(context) / low) { return frequency / Float(factor) }
                if wavelength < Float(Double(context) / high) { return frequency }
                let blend = (Float(context) / wavelength - Float(low)) / Float(high - low)
                return (1 - blend) * frequency / Float(factor) + blend * frequency
            }
        case .proportional(let factor, let share):
            let rotated = Int((share * Double(headDim) / 2).rounded(.down))
            return plain.enumerated().map { $0 < rotated ? $1 / Float(factor) : 0 }
        }
    }
}

extension RoPEScaling {
    /// For people, such as "yarn, factor 4.0".
    public var summary: String {
        switch self {
        case .none: "as trained"
        case .linear(let factor): "linear, factor \(factor)"
        case .dynamic(let factor, _): "dynamic, factor \(factor)"
        case .yarn(let yarn): "yarn, factor \(yarn.factor)"
        case .longRoPE: "longrope"
        case .llama3(let factor, _, _, _): "llama3, factor \(factor)"
        case .proportional(let factor, let share): "proportional, factor \(factor), share \(share)"
        }
    }
}
