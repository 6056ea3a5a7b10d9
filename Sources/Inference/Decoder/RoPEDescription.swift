import Foundation

/// How a model turns positions into rotations.
public struct RoPEDescription: Sendable, Hashable {
    /// The base of the geometric row of wavelengths (`rope_theta`).
    public var theta: Double
    public var scaling: Scaling

    public enum Scaling: Sendable, Hashable {
        case none
        /// Llama 3.1's: long wavelengths are stretched by `factor`, short ones kept, those between are blended.
        case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContext: Int)
    }

    public init(theta: Double, scaling: Scaling = .none) {
        self.theta = theta
        self.scaling = scaling
    }

    /// Radians per position of each pair of a head's columns: `headDim / 2` values, as transformers computes them.
    public func inverseFrequencies(headDim: Int) -> [Float] {
        (0..<headDim / 2).map { pair in
            let exponent = Float(2 * pair) / Float(headDim)
            let frequency = 1 / Float(pow(theta, Double(exponent)))
            return scaled(frequency)
        }
    }

    /// The tables that kernels read: for each position, `headDim / 2` cosines and then as many sines.
    ///
    /// The angle is a float32 product, as in the models' training code; its cosine and sine are exact to float32
    /// whatever the device's own functions give for large angles.
    public func table(headDim: Int, positions: Int) -> [Float] {
        let frequencies = inverseFrequencies(headDim: headDim)
        var table: [Float] = []
        table.reserveCapacity(positions * headDim)
        for position in 0..<positions {
            let angles = frequencies.map { Double(Float(position) * $0) }
            table += angles.map { Float(cos($0)) }
            table += angles.map { Float(sin($0)) }
        }
        return table
    }

    private func scaled(_ frequency: Float) -> Float {
        guard case .llama3(let factor, let low, let high, let originalContext) = scaling else { return frequency }
        let wavelength = 2 * Float.pi / frequency
        let context = Float(originalContext)
        if wavelength > context / Float(low) { return frequency / Float(factor) }
        if wavelength < context / Float(high) { return frequency }
        let blend = (context / wavelength - Float(low)) / Float(high - low)
        return (1 - blend) * (frequency / Float(factor)) + blend * frequency
    }
}
