import Inference

/// How far a kernel may be from the reference, which sums in double precision.
///
/// A float32 sum of n terms in any order is off by at most about (n - 1) u sum|terms|, u = 2^-24; rounding errors are as
/// good as random, so the error grows like sqrt(n) in practice. With terms of at most 1 in magnitude, whose sum of magnitudes is
/// below n, `sum` allows 4 sqrt(n) u times n / 4 (the mean product of two uniform numbers), plus one rounding.
enum Tolerance {
    /// Half a unit in the last place of float32, relative.
    static let unit: Float = 0x1p-24

    /// For a sum of `terms` products of values below 1 in magnitude.
    static func sum(_ terms: Int) -> Float {
        let n = Float(terms)
        return (4 * n.squareRoot() * n / 4 + n) * unit
    }

    /// For a handful of roundings and one call of exp, sin or division, which Vulkan allows some units in the last place.
    static func relative(_ value: Float) -> Float {
        abs(value) * 32 * unit + 1e-7
    }

    /// For a value rounded to a type after a computation in float32: both sides may round to neighbours.
    static func rounded(_ value: Float, to type: ElementType) -> Float {
        switch type {
        case .f16: max(abs(value) * 0x1p-10, 0x1p-24)
        case .bf16: max(abs(value) * 0x1p-7, 1e-38)
        case .f32, .u32: relative(value)
        case .q8_0, .q4_0: preconditionFailure("a step of \(type) is the block's, not the value's; see `step`")
        }
    }

    /// For a value of a q8_0 block after a computation in float32: both sides may round to neighbours, and their scales may be
    /// f16 neighbours too.
    ///
    /// - Parameter largest: magnitude in the block.
    static func step(largest: Float) -> Float {
        largest / 127 + largest * 0x1p-10
    }
}
