import Foundation
import Inference

/// A published model's shape, to be filled with random weights: a bare machine can be measured without files.
public struct SyntheticModel: Sendable {
    /// As on the command line, such as `qwen3-0.6b`.
    public var name: String
    public var description: DecoderDescription

    /// The shapes are those of the models' `config.json` on Hugging Face.
    public static let presets: [SyntheticModel] = [
        qwen3("qwen3-0.6b", hidden: 1024, feedForward: 3072, layers: 28, heads: 16, tied: true),
        qwen3("qwen3-1.7b", hidden: 2048, feedForward: 6144, layers: 28, heads: 16, tied: true),
        qwen3("qwen3-8b", hidden: 4096, feedForward: 12288, layers: 36, heads: 32, tied: false),
        qwen2("qwen2.5-0.5b", hidden: 896, feedForward: 4864, layers: 24, heads: 14, kvHeads: 2, tied: true),
        qwen2("qwen2.5-1.5b", hidden: 1536, feedForward: 8960, layers: 28, heads: 12, kvHeads: 2, tied: true),
        qwen2(
            "qwen2.5-7b", hidden: 3584, feedForward: 18944, layers: 28, heads: 28, kvHeads: 4, vocabulary: 152_064,
            tied: false),
        SyntheticModel(
            name: "llama-3.2-1b",
            description: DecoderDescription(
                family: "llama", hiddenSize: 2048, intermediateSize: 8192, layerCount: 16, headCount: 32,
                kvHeadCount: 8, headDim: 64, vocabularySize: 128_256, normEpsilon: 1e-5,
                rope: RoPEDescription(
                    theta: 500_000,
                    scaling: .llama3(
                        factor: 32, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192)),
                tiesEmbeddings: true, maximumContext: 131_072)),
    ]

    /// - Throws: `LoadingError.unsupported` naming the presets there are.
    public static func preset(_ name: String) throws -> SyntheticModel {
        guard let preset = presets.first(where: { $0.name == name }) else {
            throw LoadingError.unsupported(
                "there is no synthetic model \"\(name)\"; there are " + presets.map(\.name).joined(separator: ", "))
        }
        return preset
    }

    /// Makes the weights that running `extent` needs, in a backend's memory.
    /// - Parameter seed: the same one gives the same weights, on every backend.
    public func load(
        as name: String, extent: DecoderExtent, weightType: ElementType, seed: UInt32, on backend: any Backend
    ) throws -> Decoder {
        var weights: [WeightSlot.Role: any StoredTensor] = [:]
        for (index, slot) in description.weightSlots(extent).enumerated() {
            weights[slot.role] = try backend.makeSyntheticWeight(
                "\(name).\(slot.role.tensorName)", slot.shape, slot.isVector ? nil : weightType,
                isBias: slot.role.isBias, seed: seed &+ UInt32(index) &* 7919)
        }
        return try Decoder(name: name, description: description, extent: extent, weights: weights)
    }

    private static func qwen3(
        _ name: String, hidden: Int, feedForward: Int, layers: Int, heads: Int, tied: Bool
    ) -> SyntheticModel {
        SyntheticModel(
            name: name,
            description: DecoderDescription(
                family: "qwen3", hiddenSize: hidden, intermediateSize: feedForward, layerCount: layers,
                headCount: heads, kvHeadCount: 8, headDim: 128, vocabularySize: 151_936, normEpsilon: 1e-6,
                rope: RoPEDescription(theta: 1_000_000), hasQueryKeyNorm: true, tiesEmbeddings: tied,
                maximumContext: 40_960))
    }

    private static func qwen2(
        _ name: String, hidden: Int, feedForward: Int, layers: Int, heads: Int, kvHeads: Int,
        vocabulary: Int = 151_936, tied: Bool
    ) -> SyntheticModel {
        SyntheticModel(
            name: name,
            description: DecoderDescription(
                family: "qwen2", hiddenSize: hidden, intermediateSize: feedForward, layerCount: layers,
                headCount: heads, kvHeadCount: kvHeads, headDim: hidden / heads,
                vocabularySize: vocabulary, normEpsilon: 1e-6, rope: RoPEDescription(theta: 1_000_000),
                hasAttentionBias: true, tiesEmbeddings: tied, maximumContext: 32_768))
    }
}

/// A fuser of the size that is published, with random weights.
public enum SyntheticFuser {
    /// The projectors of Hugging Face's `nics-efc/C2C_Fuser`: hidden and intermediate width 1024, `num_layers` 3,
    /// `last_aligned`.
    ///
    /// - Parameter openShare: the share of gates that are open, 0 to 1; they are spread evenly.
    public static func description(
        receiver: DecoderDescription, sharer: DecoderDescription, openShare: Double = 1
    ) -> FuserDescription {
        let halves = (0..<receiver.layerCount).flatMap { layer in
            let sharerLayer = min(max(layer + sharer.layerCount - receiver.layerCount, 0), sharer.layerCount - 1)
            return CacheHalf.allCases.map {
                OpenProjection(receiverLayer: layer, sharerLayer: sharerLayer, half: $0)
            }
        }
        func openUpTo(_ index: Int) -> Int { Int((Double(index) * openShare).rounded()) }
        let open = halves.enumerated().filter { openUpTo($0.offset + 1) > openUpTo($0.offset) }.map(\.element)
        return FuserDescription(
            sharerKVHeadCount: sharer.kvHeadCount, sharerHeadDim: sharer.headDim,
            receiverKVHeadCount: receiver.kvHeadCount, receiverHeadDim: receiver.headDim, hiddenSize: 1024,
            intermediateSize: 1024, projectionBlockCount: 1, open: open, projectionCount: halves.count)
    }

    /// Makes the weights in a backend's memory.
    public static func load(
        as name: String, _ description: FuserDescription, weightType: ElementType, seed: UInt32,
        on backend: any Backend
    ) throws -> Fuser {
        var weights: [FuserWeightSlot.Role: any StoredTensor] = [:]
        for (index, slot) in description.weightSlots.enumerated() {
            weights[slot.role] = try backend.makeSyntheticWeight(
                "\(name).\(slot.role.tensorName)", slot.shape, slot.isVector ? nil : weightType,
                isBias: slot.role.isBias, seed: seed &+ UInt32(index) &* 7919)
        }
        return try Fuser(name: name, description: description, weights: weights)
    }
}

extension Backend {
    /// Random matrices that keep the size of what they multiply; norms of one and biases of zero.
    fileprivate func makeSyntheticWeight(
        _ name: String, _ shape: TensorShape, _ type: ElementType?, isBias: Bool, seed: UInt32
    ) throws -> any StoredTensor {
        if let type {
            let scale = Float(sqrt(1.0 / Double(shape.columns)))
            return try makeRandomTensor(name, shape, type, seed: seed, scale: scale)
        }
        let values = HostMatrix(
            name: name, rows: 1, columns: shape.columns,
            values: Array(repeating: isBias ? 0 : 1, count: shape.columns))
        return try makeTensor(
            name, WeightSource(batches: Array(repeating: [values], count: shape.batch)), type: .f32)
    }
}

extension WeightSlot.Role {
    fileprivate var isBias: Bool {
        switch self {
        case .queryKeyValueBias, .attentionOutputBias: true
        default: false
        }
    }
}

extension FuserWeightSlot.Role {
    fileprivate var isBias: Bool {
        switch self {
        case .inputBias, .scalarHeadBias, .projectionOutputBias: true
        default: false
        }
    }
}
