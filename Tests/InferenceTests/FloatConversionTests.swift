import Inference
import Testing

@Suite
struct FloatConversionTests {
    @Test("known half-precision numbers, both ways")
    func halves() {
        let pairs: [(Float, UInt16)] = [
            (0, 0), (-0.0, 0x8000), (1, 0x3c00), (-2, 0xc000), (65504, 0x7bff), (0x1p-14, 0x0400), (0x1p-24, 0x0001),
            (0x1.ff8p-15, 0x03ff), (.infinity, 0x7c00), (-.infinity, 0xfc00), (0.333251953125, 0x3555),
        ]
        for (value, bits) in pairs {
            #expect(FloatConversion.f16(value) == bits)
            #expect(FloatConversion.float(f16: bits) == value)
        }
    }

    @Test("every half-precision number survives the way to float32 and back")
    func roundTrip() {
        for bits in UInt16.min...UInt16.max {
            let value = FloatConversion.float(f16: bits)
            if value.isNaN {
                #expect(FloatConversion.float(f16: FloatConversion.f16(value)).isNaN)
            } else {
                #expect(FloatConversion.f16(value) == bits)
            }
            let bfloat = FloatConversion.float(bf16: bits)
            if !bfloat.isNaN { #expect(FloatConversion.bf16(bfloat) == bits) }
        }
    }

    @Test("values between two numbers go to the nearest, ties to the even one")
    func rounding() {
        // Between neighbours with bits b and b + 1, b even and odd.
        for bits: UInt16 in [0x3c00, 0x3c01, 0x0000, 0x0001, 0x03ff, 0x7bfe] {
            let (low, high) = (FloatConversion.float(f16: bits), FloatConversion.float(f16: bits + 1))
            let middle = (low + high) / 2
            #expect(FloatConversion.f16(middle) == bits + (bits & 1))
            #expect(FloatConversion.f16(middle.nextDown) == bits)
            #expect(FloatConversion.f16(middle.nextUp) == bits + 1)
        }
        for bits: UInt16 in [0x3f80, 0x3f81, 0x0000, 0x007f] {
            let (low, high) = (FloatConversion.float(bf16: bits), FloatConversion.float(bf16: bits + 1))
            let middle = low + (high - low) / 2
            #expect(FloatConversion.bf16(middle) == bits + (bits & 1))
            #expect(FloatConversion.bf16(middle.nextDown) == bits)
            #expect(FloatConversion.bf16(middle.nextUp) == bits + 1)
        }
    }

    @Test("what is too large becomes infinite; NaN stays NaN")
    func extremes() {
        #expect(FloatConversion.f16(65519) == 0x7bff && FloatConversion.f16(65520) == 0x7c00)
        #expect(FloatConversion.f16(-1e30) == 0xfc00 && FloatConversion.f16(1e-9) == 0)
        #expect(FloatConversion.float(f16: FloatConversion.f16(.nan)).isNaN)
        #expect(FloatConversion.float(bf16: FloatConversion.bf16(.nan)).isNaN)
        #expect(FloatConversion.float(bf16: FloatConversion.bf16(.greatestFiniteMagnitude)) == .infinity)
    }
}
