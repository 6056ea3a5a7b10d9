import Inference
import ReferenceBackend
import Testing
import VulkanBackend

@Suite(.serialized)
struct RandomFillTests {
    @Test("the same values on every backend", arguments: [ElementType.f32, .f16, .bf16, .q8_0, .q4_0])
    func fill(_ type: ElementType) throws {
        let shape = TensorShape(batch: 2, rows: 37, columns: 19)
        let backends: [any Backend] = [VulkanBackend(try TestDevice.device()), ReferenceBackend()]
        let values = try backends.map {
            try $0.read(try $0.makeRandomTensor("random", shape, type, seed: 3, scale: 0.5))
        }
        #expect(values[0] == values[1])
        let mean = values[0].reduce(0, +) / Float(values[0].count)
        #expect(abs(mean) < 0.05 && values[0].allSatisfy { abs($0) <= 0.5 })
        // Quantized, all 256 (or 16) integers are there in blocks of one scale, but for a few that chance left out.
        let different = type.blockFormat.map { (1 << $0.bits) * 15 / 16 } ?? values[0].count / 2
        #expect(Set(values[0]).count > different)
    }
}
