import Inference
import ReferenceBackend
import Testing

/// The least work of runs, against counts by hand.
@Suite
struct WorkTests {
    /// Hidden 16, 2 query heads and 1 KV head of 8, feed-forward 24, 2 layers, vocabulary 40.
    private func description(tied: Bool) -> DecoderDescription {
        DecoderDescription(
            family: "test", hiddenSize: 16, intermediateSize: 24, layerCount: 2, headCount: 2, kvHeadCount: 1,
            headDim: 8,
            vocabularySize: 40, normEpsilon: 1e-6, rope: RoPEDescription(theta: 10_000), tiesEmbeddings: tied,
            maximumContext: 64)
    }

    private func decoder(
        _ description: DecoderDescription, _ extent: DecoderExtent, on backend: any Backend
    ) throws -> Decoder {
        var weights: [WeightSlot.Role: any StoredTensor] = [:]
        for (index, slot) in description.weightSlots(extent).enumerated() {
            weights[slot.role] = try backend.makeTensor(
                "\(index)", slot.shape, slot.isVector ? .f32 : .f16, placement: .device)
        }
        return try Decoder(name: "model", description: description, extent: extent, weights: weights)
    }

    private func cache(_ decoder: Decoder, on backend: any Backend) throws -> KVCache {
        try KVCache(for: decoder, capacity: 32, type: .f16, on: backend)
    }

    /// Weights of one layer: queries, keys and values 32 x 16, output 16 x 16, gate and up 48 x 16, down 16 x 24.
    private let projections = 32 * 16
    private let rest = 16 * 16 + 48 * 16 + 16 * 24
    /// A norm of the hidden width, in float32.
    private let norm = 16 * 4
    /// Keys and values of a token in one layer, in float16.
    private let row = 2 * 8 * 2

    @Test("a decode step reads every weight and every row")
    func decode() throws {
        let backend = ReferenceBackend()
        let model = try decoder(description(tied: true), .full(description(tied: true)), on: backend)
        let work = model.work(tokens: 1, after: 10, logitRows: 1, cache: try cache(model, on: backend))
        let layers = 2 * (projections + rest)
        #expect(work.bytes == 2 * layers + 5 * norm + 2 * 40 * 16 + 2 * row * (10 + 1))
        // Each of 2 heads of 8 columns: a product with the key and one with the value, for 11 rows.
        #expect(work.flops == 2 * (layers + 40 * 16) + 2 * 11 * (2 * 2 * 2 * 8))
    }

    @Test("a prompt reads weights once, and a table that isn't the head row by row")
    func prefill() throws {
        let backend = ReferenceBackend()
        let model = try decoder(description(tied: false), .full(description(tied: false)), on: backend)
        let cache = try cache(model, on: backend)
        let layers = 2 * (projections + rest)
        let work = model.work(tokens: 5, logitRows: 1, cache: cache)
        #expect(work.bytes == 2 * layers + 5 * norm + 2 * 5 * 16 + 2 * 40 * 16 + 2 * row * 5)
        // Of the last layer only keys and values are needed of tokens without logits.
        let pair = 2 * 2 * 2 * 8
        #expect(
            work.flops == 2 * (5 * (2 * projections + rest) + rest + 40 * 16) + (1 + 2 + 3 + 4 + 5) * pair + 5 * pair)
        let all = model.work(tokens: 5, logitRows: 5, cache: cache)
        #expect(all.flops == 2 * 5 * (layers + 40 * 16) + 2 * (1 + 2 + 3 + 4 + 5) * pair)
        let two = model.work(tokens: 5, after: 3, logitRows: 2, cache: cache)
        #expect(
            two.flops == 2 * (5 * (2 * projections + rest) + 2 * rest + 2 * 40 * 16)
                + (4 + 5 + 6 + 7 + 8) * pair + (7 + 8) * pair)
        // Without logits there is neither head nor final norm, and the last layer ends at its keys and values.
        let headless = model.work(tokens: 5, cache: cache)
        #expect(headless.bytes == work.bytes - 2 * norm - 2 * (40 * 16 + rest))
        #expect(headless.flops == 2 * 5 * (2 * projections + rest) + (1 + 2 + 3 + 4 + 5) * pair)
    }

    @Test("a sharer ends at its last keys and values")
    func sharer() throws {
        let backend = ReferenceBackend()
        let model = try decoder(description(tied: true), .cacheOnly(layerCount: 2), on: backend)
        let work = model.work(tokens: 3, cache: try cache(model, on: backend))
        let weights = 2 * projections + rest
        #expect(work.bytes == 2 * weights + 3 * norm + 2 * 3 * 16 + 2 * row * 3)
        #expect(work.flops == 2 * 3 * weights + (1 + 2 + 3) * (2 * 2 * 2 * 8))
    }

    @Test("a fuser reads its weights and three rows for each open projection")
    func fuser() throws {
        let backend = ReferenceBackend()
        let receiver = try decoder(description(tied: true), .full(description(tied: true)), on: backend)
        let cache = try cache(receiver, on: backend)
        let form = FuserDescription(
            sharerKVHeadCount: 1, sharerHeadDim: 8, receiverKVHeadCount: 1, receiverHeadDim: 8, hiddenSize: 16,
            intermediateSize: 24, projectionBlockCount: 1,
            open: [
                OpenProjection(receiverLayer: 0, sharerLayer: 0, half: .key),
                OpenProjection(receiverLayer: 1, sharerLayer: 1, half: .value),
            ], projectionCount: 4)
        var weights: [FuserWeightSlot.Role: any StoredTensor] = [:]
        for (index, slot) in form.weightSlots.enumerated() {
            weights[slot.role] = try backend.makeTensor(
                "\(index)", slot.shape, slot.isVector ? .f32 : .f16, placement: .device)
        }
        let fuser = try Fuser(name: "fuser", description: form, weights: weights)
        // In 16 x (8 + 8); two blocks 24 wide and the scalar's 16 wide, up and down; scalar head 1 x 16; out 8 x 16.
        let matrices = 16 * 16 + 2 * 2 * 24 * 16 + 2 * 16 * 16 + 16 + 8 * 16
        let work = fuser.work(tokens: 7, sharerCache: cache, receiverCache: cache)
        #expect(work.flops == 2 * 2 * 7 * matrices)
        #expect(work.bytes == fuser.weightBytes + 7 * 2 * 3 * (8 * 2))
        // Biases are 16, 1 and 8 wide, norms 16, in float32, rows padded to eight.
        #expect(fuser.weightBytes == 2 * (2 * matrices + 4 * (16 + 8 + 8 + 3 * 16)))
    }
}
