import Foundation

/// How a model turns positions into rotations.
public struct RoPEDescription: Sendable, Hashable {
    /// The base of the geometric row of wavelengths (`rope_theta`).
    public var theta: Double
    public var scaling: RoPEScaling

    public init(theta: Double, scaling: RoPEScaling = .none) {
        self.theta = theta
        self.scaling = scaling
    }

    /// Radians per position of each pair of a head's columns: `headDim / 2` values, as transformers computes them.
    ///
    /// - Parameter end: the rows there are when the call is done that reads the positions.
    public func inverseFrequencies(headDim: Int, end: Int = 0) -> [Float] {
        scaling.inverseFrequencies(theta: theta, headDim: headDim, end: end)
    }

    /// What cosines and sines are multiplied by.
    public var attentionFactor: Float { scaling.attentionFactor }

    /// Rotations of tokens read one by one: each call ends with the row itself.
    public func table(headDim: Int, positions: Int) -> [Float] {
        guard let bound = scaling.changesBeyond, bound < positions else {
            return table(headDim: headDim, 0..<positions, end: positions)
        }
        return table(headDim: headDim, 0..<bound, end: bound)
            + (bound..<positions).flatMap { table(headDim: headDim, $0..<$0 + 1, end: $0 + 1) }
    }

    /// The rows that kernels read: for each position, `headDim / 2` cosines and then as many sines.
    ///
    /// The angle is a float32 product, as in the models' training code; its cosine and sine are exact to float32
    /// whatever the device's own functions give for large angles.
    ///
    /// - Parameter end: the rows there are when the call is done that reads the positions.
    public func table(headDim: Int, _ positions: Range<Int>, end: Int) -> [Float] {
        let frequencies = inverseFrequencies(headDim: headDim, end: end)
        let factor = attentionFactor
        var table: [Float] = []
        table.reserveCapacity(positions.count * headDim)
        for position in positions {
            let angles = frequencies.map { Double(Float(position) * $0) }
            table += angles.map { Float(cos($0)) * factor }
            table += angles.map { Float(sin($0)) * factor }
        }
        return table
    }
}
