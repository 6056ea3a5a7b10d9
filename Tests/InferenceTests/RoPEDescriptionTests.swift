import Foundation
import Inference
import Testing

@Suite
struct RoPEDescriptionTests {
    @Test("frequencies fall from 1 as powers of theta")
    func plain() {
        let frequencies = RoPEDescription(theta: 10_000).inverseFrequencies(headDim: 8)
        for (found, expected) in zip(frequencies, [1, 0.1, 0.01, 0.001]) {
            #expect(abs(Double(found) - expected) < 1e-7 * expected)
        }
    }

    @Test("the table holds cosines, then sines")
    func table() {
        let table = RoPEDescription(theta: 10_000).table(headDim: 4, positions: 3)
        #expect(table.count == 12 && Array(table[0..<4]) == [1, 1, 0, 0])
        #expect(abs(table[8] - cosf(2)) < 1e-6 && abs(table[10] - sinf(2)) < 1e-6)
        #expect(abs(table[9] - cosf(0.02)) < 1e-6 && abs(table[11] - sinf(0.02)) < 1e-6)
    }

    @Test("llama3 keeps short wavelengths, stretches long ones and blends between")
    func llama3() {
        let plain = RoPEDescription(theta: 500_000).inverseFrequencies(headDim: 64)
        let scaled = RoPEDescription(
            theta: 500_000,
            scaling: .llama3(factor: 32, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192)
        ).inverseFrequencies(headDim: 64)
        for (before, after) in zip(plain, scaled) {
            let wavelength = 2 * Float.pi / before
            if wavelength < 2048 {
                #expect(after == before)
            } else if wavelength > 8192 {
                #expect(after == before / 32)
            } else {
                #expect(after < before && after > before / 32)
            }
        }
    }
}
