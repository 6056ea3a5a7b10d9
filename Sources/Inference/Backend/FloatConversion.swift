/// Conversions between float32 and the 16-bit types, by their bits: the same on every host.
public enum FloatConversion {
    /// A bfloat16's value: it is the upper half of a float32.
    public static func float(bf16 bits: UInt16) -> Float {
        Float(bitPattern: UInt32(bits) << 16)
    }

    /// Rounds to the nearest bfloat16, ties to even. NaN stays NaN.
    public static func bf16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(bits >> 16) | 0x40 }
        return UInt16((bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
    }

    /// An IEEE half-precision number's value.
    public static func float(f16 bits: UInt16) -> Float {
        // Without branches, so that loops over it vectorise. Exponent and fraction move to float32's places; the product
        // mends the exponent's bias, and makes normal numbers of subnormal ones.
        let magnitude = UInt32(bits & 0x7fff) << 13
        let value = Float(bitPattern: magnitude) * 0x1p112
        let infinity: UInt32 = magnitude >= 0x0f80_0000 ? 0x7f80_0000 : 0
        return Float(bitPattern: value.bitPattern | infinity | UInt32(bits & 0x8000) << 16)
    }

    /// Rounds to the nearest half-precision number, ties to even; too large becomes infinite. NaN stays NaN.
    public static func f16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        let sign = UInt16(bits >> 16) & 0x8000
        let magnitude = bits & 0x7fff_ffff
        if magnitude > 0x7f80_0000 { return sign | 0x7e00 | UInt16(magnitude >> 13 & 0x1ff) }
        // 65520 lies half-way between the largest number and the next: it and all above become infinite.
        if magnitude >= 0x477f_f000 { return sign | 0x7c00 }
        if magnitude < 0x3880_0000 {
            // Subnormal: adding 0.5 puts the unit of float32's last place at 2^-24, so the addition rounds.
            let rounded = Float(bitPattern: magnitude) + 0.5
            return sign | UInt16(rounded.bitPattern & 0xffff)
        }
        let rebased = magnitude &- (112 << 23)
        return sign | UInt16((rebased &+ 0xfff &+ (rebased >> 13 & 1)) >> 13)
    }
}

extension ElementType {
    /// Whether a value of this type, whose elements stand alone, is a number that rounds to one.
    public func hasRoom(for value: Float) -> Bool {
        switch self {
        case .f16: value.magnitude < 65_520
        case .bf16: value.magnitude < 0x1.ffp127
        case .f32, .u32, .q8_0, .q4_0: value.isFinite
        }
    }

    /// The float32 value of element `index` at `base`; any alignment.
    @inline(__always)
    public func load(_ base: UnsafeRawPointer, _ index: Int) -> Float {
        switch self {
        case .f32: base.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
        case .f16: FloatConversion.float(f16: base.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
        case .bf16: FloatConversion.float(bf16: base.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
        case .u32: Float(base.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
        case .q8_0, .q4_0: preconditionFailure("an element of \(self) is part of a block")
        }
    }

    /// Rounds `value` to the type and stores it as element `index` at `base`; any alignment.
    @inline(__always)
    public func store(_ value: Float, _ base: UnsafeMutableRawPointer, _ index: Int) {
        switch self {
        case .f32: base.storeBytes(of: value, toByteOffset: index * 4, as: Float.self)
        case .f16: base.storeBytes(of: FloatConversion.f16(value), toByteOffset: index * 2, as: UInt16.self)
        case .bf16: base.storeBytes(of: FloatConversion.bf16(value), toByteOffset: index * 2, as: UInt16.self)
        case .u32: base.storeBytes(of: UInt32(value), toByteOffset: index * 4, as: UInt32.self)
        case .q8_0, .q4_0: preconditionFailure("an element of \(self) is part of a block")
        }
    }
}
